"""A payment is recorded once, beside the invoice that it pays."""

from psycopg.rows import class_row

from billing.domain.errors import NotFound
from billing.domain.payments import Payment
from billing.storage.pool import Connection


async def add(connection: Connection, invoice_id: int, amount_cents: int) -> Payment:
    query = """
        INSERT INTO payments (invoice_id, amount_cents) VALUES (%s, %s)
        RETURNING id, invoice_id, amount_cents, received_at
    """
    async with connection.cursor(row_factory=class_row(Payment)) as cursor:
        await cursor.execute(query, (invoice_id, amount_cents))
        payment = await cursor.fetchone()
    assert payment is not None
    return payment


async def get(connection: Connection, tenant_id: int, invoice_id: int, payment_id: int) -> Payment:
    """The payment. Raises NotFound when there is none."""
    query = """
        SELECT payments.id, invoice_id, amount_cents, received_at
        FROM payments WHERE payments.id = %s
    """
    async with connection.cursor(row_factory=class_row(Payment)) as cursor:
        await cursor.execute(query, (payment_id,))
        payment = await cursor.fetchone()
    if payment is None:
        raise NotFound("payment")
    return payment
