"""Who receives invoices, and what they owe."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Customer:
    id: int
    name: str
    email: str
    address: Mapping[str, str | None] | None
    created_at: datetime


@dataclass(frozen=True)
class CustomerDetails:
    """What callers may choose and change of a customer."""

    name: str
    email: str
    address: Mapping[str, str | None] | None


@dataclass(frozen=True)
class Balance:
    """What is outstanding over the sent invoices of one customer, in cents of the tenant's currency."""

    customer_id: int
    currency: str
    open_invoices: int
    outstanding_cents: int
