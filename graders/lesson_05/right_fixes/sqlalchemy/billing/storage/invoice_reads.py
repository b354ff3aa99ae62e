"""The four reads that people wait for, as SQLAlchemy writes them."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select, tuple_

from billing.domain.customers import Balance
from billing.domain.invoices import Invoice
from billing.storage import customers
from billing.storage.invoices import invoice_of
from billing.storage.pages import Page, page_of
from billing.storage.pool import Connection
from billing.storage.tables import InvoiceRow


@dataclass(frozen=True)
class NewestPosition:
    """Where an invoice stands in its customer's list. The id breaks ties in time."""

    created_at: datetime
    id: int


@dataclass(frozen=True)
class OverduePosition:
    """Where an invoice stands in the overdue list. The id breaks ties in the due date."""

    due_on: date
    id: int


async def newest_of_customer(
    session: Connection, customer_id: int, after: NewestPosition | None, limit: int
) -> Page[Invoice, NewestPosition]:
    """A customer's invoices, newest first."""
    query = select(InvoiceRow).where(InvoiceRow.customer_id == customer_id)
    if after:
        query = query.where(tuple_(InvoiceRow.created_at, InvoiceRow.id) < (after.created_at, after.id))
    query = query.order_by(InvoiceRow.created_at.desc(), InvoiceRow.id.desc()).limit(limit + 1)
    rows = [invoice_of(row) for row in await session.scalars(query)]
    return page_of(rows, limit, lambda invoice: NewestPosition(invoice.created_at, invoice.id))


async def overdue_of_tenant(
    session: Connection, tenant_id: int, as_of: date, after: OverduePosition | None, limit: int
) -> Page[Invoice, OverduePosition]:
    """The tenant's sent invoices that were due before `as_of`, longest overdue first."""
    query = select(InvoiceRow).where(
        InvoiceRow.tenant_id == tenant_id, InvoiceRow.status == "sent", InvoiceRow.due_on < as_of
    )
    if after:
        query = query.where(tuple_(InvoiceRow.due_on, InvoiceRow.id) > (after.due_on, after.id))
    query = query.order_by(InvoiceRow.due_on, InvoiceRow.id).limit(limit + 1)
    rows = [invoice_of(row) for row in await session.scalars(query)]
    return page_of(rows, limit, _overdue_position)


async def by_number(session: Connection, tenant_id: int, number: str) -> Invoice:
    """The tenant's invoice of that number, without regard to case. Raises NotFound."""
    query = select(InvoiceRow).where(
        InvoiceRow.tenant_id == tenant_id, func.lower(InvoiceRow.number) == func.lower(number)
    )
    return invoice_of(await session.scalar(query))


async def balance(session: Connection, tenant_id: int, customer_id: int) -> Balance:
    """What the customer owes. Raises NotFound when the customer is not the tenant's."""
    customer = await customers.row_of(session, tenant_id, customer_id)
    outstanding = func.coalesce(func.sum(InvoiceRow.total_cents - InvoiceRow.paid_cents), 0)
    query = select(func.count(), outstanding).where(InvoiceRow.customer_id == customer_id, InvoiceRow.status == "sent")
    invoices, cents = (await session.execute(query)).one()
    return Balance(customer.id, customer.tenant.currency, invoices, int(cents))


def _overdue_position(invoice: Invoice) -> OverduePosition:
    assert invoice.due_on is not None
    return OverduePosition(invoice.due_on, invoice.id)
