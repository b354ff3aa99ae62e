"""An invoice is written whole or not at all, and changed only under its row lock.

The reads that people wait for stand in `invoice_reads`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.rows import class_row, scalar_row

from billing.domain.errors import NotFound, Refused
from billing.domain.invoices import Invoice, Line
from billing.storage.pool import Connection


@dataclass(frozen=True)
class Draft:
    """An invoice before it has a number and an id."""

    tenant_id: int
    customer_id: int
    total_cents: int
    lines: Sequence[Line]


async def add(connection: Connection, draft: Draft, number: str) -> Invoice:
    """Store the draft under a number that the caller chose. Raises Refused when the number is taken."""
    invoice = await _insert(connection, draft, number)
    if invoice is None:
        raise Refused("number-taken", f"An invoice with the number {number} exists already.")
    return invoice


async def add_with_next_number(connection: Connection, draft: Draft) -> Invoice:
    """Store the draft under the tenant's next free number.

    The counter's row lock is held to the end of the transaction, so two invoices never get one number. Where
    a caller chose such a number earlier by hand, the counter steps over it for good.
    """
    invoice = None
    while invoice is None:
        invoice = await _insert(connection, draft, await _next_number(connection, draft.tenant_id))
    return invoice


async def get(connection: Connection, tenant_id: int, invoice_id: int) -> Invoice:
    """The invoice. Raises NotFound when there is none."""
    query = """
        SELECT id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at
        FROM invoices WHERE id = %s
    """
    return await _one(connection, query, invoice_id)


async def lock(connection: Connection, tenant_id: int, invoice_id: int) -> Invoice:
    """The invoice, kept from others' changes until the end of the transaction. Raises NotFound."""
    query = """
        SELECT id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at
        FROM invoices WHERE id = %s FOR UPDATE
    """
    return await _one(connection, query, invoice_id)


async def save(connection: Connection, invoice: Invoice) -> None:
    """Store what may change in an invoice's life; its number, customer and total never do."""
    query = "UPDATE invoices SET status = %s, paid_cents = %s, due_on = %s WHERE id = %s"
    await connection.execute(query, (invoice.status, invoice.paid_cents, invoice.due_on, invoice.id))


async def lines_of(connection: Connection, invoice_id: int) -> list[Line]:
    query = """
        SELECT description, quantity, unit_price_cents FROM invoice_lines
        WHERE invoice_id = %s ORDER BY position
    """
    async with connection.cursor(row_factory=class_row(Line)) as cursor:
        await cursor.execute(query, (invoice_id,))
        return await cursor.fetchall()


async def _one(connection: Connection, query: str, invoice_id: int) -> Invoice:
    async with connection.cursor(row_factory=class_row(Invoice)) as cursor:
        await cursor.execute(query, (invoice_id,))
        invoice = await cursor.fetchone()
    if invoice is None:
        raise NotFound("invoice")
    return invoice


async def _next_number(connection: Connection, tenant_id: int) -> str:
    query = """
        UPDATE tenants SET last_invoice_number = last_invoice_number + 1
        WHERE id = %s RETURNING last_invoice_number
    """
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(query, (tenant_id,))
        return f"INV-{await cursor.fetchone():06d}"


async def _insert(connection: Connection, draft: Draft, number: str) -> Invoice | None:
    """The stored invoice with its lines, or None when the number is taken."""
    query = """
        INSERT INTO invoices (tenant_id, customer_id, number, currency, total_cents)
        SELECT id, %(customer)s, %(number)s, currency, %(total)s FROM tenants WHERE id = %(tenant)s
        ON CONFLICT DO NOTHING
        RETURNING id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at
    """
    parameters = {
        "tenant": draft.tenant_id,
        "customer": draft.customer_id,
        "number": number,
        "total": draft.total_cents,
    }
    async with connection.cursor(row_factory=class_row(Invoice)) as cursor:
        await cursor.execute(query, parameters)
        invoice = await cursor.fetchone()
    if invoice is not None:
        await _insert_lines(connection, invoice.id, draft.lines)
    return invoice


async def _insert_lines(connection: Connection, invoice_id: int, lines: Sequence[Line]) -> None:
    query = """
        INSERT INTO invoice_lines (invoice_id, position, description, quantity, unit_price_cents)
        SELECT %s, position, description, quantity, unit_price_cents
        FROM unnest(%s::text[], %s::integer[], %s::bigint[])
             WITH ORDINALITY AS line (description, quantity, unit_price_cents, position)
    """
    descriptions = [line.description for line in lines]
    quantities = [line.quantity for line in lines]
    prices = [line.unit_price_cents for line in lines]
    await connection.execute(query, (invoice_id, descriptions, quantities, prices))
