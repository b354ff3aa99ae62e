"""What an invoice's life is: draft, then sent, then paid or void. There is no other way through it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from billing.domain import money
from billing.domain.errors import Refused

Status = Literal["draft", "sent", "paid", "void"]


@dataclass(frozen=True)
class Line:
    description: str
    quantity: int
    unit_price_cents: int


@dataclass(frozen=True)
class Invoice:
    id: int
    customer_id: int
    number: str
    status: Status
    currency: str
    total_cents: int
    paid_cents: int
    due_on: date | None
    created_at: datetime


def total(lines: Sequence[Line]) -> int:
    """What the lines add up to, in cents. Raises TotalOutOfRange."""
    return money.total((line.quantity, line.unit_price_cents) for line in lines)


def send(invoice: Invoice, due_on: date) -> Invoice:
    """The invoice as its customer gets it: from now on it is owed."""
    if invoice.status != "draft":
        raise Refused("wrong-status", f"Only a draft can be sent; this invoice is {invoice.status}.")
    return replace(invoice, status="sent", due_on=due_on)


def void(invoice: Invoice) -> Invoice:
    """The invoice withdrawn. Once money has come in for it, that needs a refund first."""
    if invoice.status not in ("draft", "sent"):
        raise Refused(
            "wrong-status", f"Only a draft or a sent invoice can be voided; this is {invoice.status}."
        )
    if invoice.paid_cents > 0:
        raise Refused("wrong-status", "This invoice is paid in part, so it can't be voided.")
    return replace(invoice, status="void")


def pay(invoice: Invoice, amount_cents: int) -> Invoice:
    """The invoice after a payment: paid as soon as nothing is outstanding, and never paid too much."""
    if invoice.status != "sent":
        raise Refused("wrong-status", f"Only a sent invoice can be paid; this invoice is {invoice.status}.")
    outstanding = invoice.total_cents - invoice.paid_cents
    if amount_cents > outstanding:
        raise Refused("overpayment", f"Only {outstanding} cents are outstanding on this invoice.")
    status: Status = "paid" if amount_cents == outstanding else "sent"
    return replace(invoice, status=status, paid_cents=invoice.paid_cents + amount_cents)
