"""An invoice is written whole or not at all, and changed only under its row lock."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from billing.domain.errors import NotFound, Refused
from billing.domain.invoices import Invoice, Line
from billing.storage.pool import Connection
from billing.storage.tables import InvoiceRow, LineRow, Tenant


@dataclass(frozen=True)
class Draft:
    """An invoice before it has a number and an id."""

    tenant_id: int
    customer_id: int
    total_cents: int
    lines: Sequence[Line]


async def add(session: Connection, draft: Draft, number: str) -> Invoice:
    """Store the draft under a number that the caller chose. Raises Refused when the number is taken."""
    invoice = await _insert(session, draft, number)
    if invoice is None:
        raise Refused("number-taken", f"An invoice with the number {number} exists already.")
    return invoice


async def add_with_next_number(session: Connection, draft: Draft) -> Invoice:
    """Store the draft under the tenant's next free number."""
    invoice = None
    while invoice is None:
        query = (
            update(Tenant)
            .where(Tenant.id == draft.tenant_id)
            .values(last_invoice_number=Tenant.last_invoice_number + 1)
            .returning(Tenant.last_invoice_number)
        )
        invoice = await _insert(session, draft, f"INV-{await session.scalar(query):06d}")
    return invoice


async def get(session: Connection, tenant_id: int, invoice_id: int) -> Invoice:
    """The invoice. Raises NotFound when there is none, or when it is another tenant's."""
    return invoice_of(await session.scalar(_by_id(tenant_id, invoice_id)))


async def lock(session: Connection, tenant_id: int, invoice_id: int) -> Invoice:
    """The invoice, kept from others' changes until the end of the transaction. Raises NotFound."""
    return invoice_of(await session.scalar(_by_id(tenant_id, invoice_id).with_for_update()))


async def save(session: Connection, invoice: Invoice) -> None:
    """Store what may change in an invoice's life."""
    row = await session.get_one(InvoiceRow, invoice.id)
    row.status, row.paid_cents, row.due_on = invoice.status, invoice.paid_cents, invoice.due_on
    await session.flush()


async def lines_of(session: Connection, invoice_id: int) -> list[Line]:
    query = select(LineRow).where(LineRow.invoice_id == invoice_id).order_by(LineRow.position)
    return [Line(row.description, row.quantity, row.unit_price_cents) for row in await session.scalars(query)]


def invoice_of(row: InvoiceRow | None) -> Invoice:
    """The row as the domain knows it. Raises NotFound where there is none."""
    if row is None:
        raise NotFound("invoice")
    return Invoice(
        id=row.id,
        customer_id=row.customer_id,
        number=row.number,
        status=row.status,  # type: ignore[arg-type]
        currency=row.currency,
        total_cents=row.total_cents,
        paid_cents=row.paid_cents,
        due_on=row.due_on,
        created_at=row.created_at,
    )


def _by_id(tenant_id: int, invoice_id: int):  # type: ignore[no-untyped-def]
    return select(InvoiceRow).where(InvoiceRow.id == invoice_id, InvoiceRow.tenant_id == tenant_id)


async def _insert(session: Connection, draft: Draft, number: str) -> Invoice | None:
    """The stored invoice with its lines, or None when the number is taken."""
    tenant = await session.get_one(Tenant, draft.tenant_id)
    query = (
        insert(InvoiceRow)
        .values(
            tenant_id=draft.tenant_id,
            customer_id=draft.customer_id,
            number=number,
            currency=tenant.currency,
            total_cents=draft.total_cents,
        )
        .on_conflict_do_nothing()
        .returning(InvoiceRow)
    )
    row = await session.scalar(query)
    if row is None:
        return None
    session.add_all(
        LineRow(
            invoice_id=row.id,
            position=position,
            description=line.description,
            quantity=line.quantity,
            unit_price_cents=line.unit_price_cents,
        )
        for position, line in enumerate(draft.lines, 1)
    )
    await session.flush()
    return invoice_of(row)
