"""What one customer is to the business, on one line."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Summary:
    """Over all invoices of a customer but the void ones: how many, and their cents in the tenant's currency."""

    customer_id: int
    currency: str
    invoices: int
    drafts: int
    total_cents: int
    paid_cents: int
    outstanding_cents: int
    newest_at: datetime | None
