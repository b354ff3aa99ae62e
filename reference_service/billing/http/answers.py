"""What goes out: exactly these fields. Ids are strings, money is whole cents, times are RFC 3339 in UTC."""

from collections.abc import Sequence
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from billing.domain.customers import Customer as StoredCustomer
from billing.domain.invoices import Invoice as StoredInvoice
from billing.domain.invoices import Line as StoredLine
from billing.domain.invoices import Status


class Answer(BaseModel):
    """Read from what storage gave; ids become strings on the way."""

    model_config = ConfigDict(from_attributes=True, coerce_numbers_to_str=True)


class Health(BaseModel):
    status: str


class Address(Answer):
    street: str
    city: str
    postcode: str | None
    country: str


class Customer(Answer):
    id: str
    name: str
    email: str
    address: Address | None
    created_at: datetime


class CustomerPage(BaseModel):
    items: list[Customer]
    next_cursor: str | None


class Balance(Answer):
    customer_id: str
    currency: str
    open_invoices: int
    outstanding_cents: int


class Line(Answer):
    description: str
    quantity: int
    unit_price_cents: int


class Invoice(Answer):
    id: str
    customer_id: str
    number: str
    status: Status
    currency: str
    total_cents: int
    paid_cents: int
    due_on: date | None
    created_at: datetime


class InvoiceWithLines(Invoice):
    lines: list[Line]


class InvoicePage(BaseModel):
    items: list[Invoice]
    next_cursor: str | None


class Payment(Answer):
    id: str
    invoice_id: str
    amount_cents: int
    received_at: datetime


def invoice_with_lines(invoice: StoredInvoice, lines: Sequence[StoredLine]) -> InvoiceWithLines:
    return InvoiceWithLines.model_validate({**vars(invoice), "lines": lines})


def invoice_page(invoices: Sequence[StoredInvoice], next_cursor: str | None) -> InvoicePage:
    items = [Invoice.model_validate(invoice) for invoice in invoices]
    return InvoicePage(items=items, next_cursor=next_cursor)


def customer_page(customers: Sequence[StoredCustomer], next_cursor: str | None) -> CustomerPage:
    items = [Customer.model_validate(customer) for customer in customers]
    return CustomerPage(items=items, next_cursor=next_cursor)
