"""Money received for one invoice. What a payment does to the invoice stands in `invoices.pay`."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Payment:
    id: int
    invoice_id: int
    amount_cents: int
    received_at: datetime
