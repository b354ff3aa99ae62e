"""Who receives invoices, and what they owe."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Customer:
    id: int
    name: str
    email: str
    created_at: datetime


@dataclass(frozen=True)
class Balance:
    """What is outstanding over the sent invoices of one customer, in cents of the tenant's currency."""

    customer_id: int
    currency: str
    open_invoices: int
    outstanding_cents: int
