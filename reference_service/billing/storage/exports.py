"""All invoices of a tenant, a few at a time: the database keeps the place, so nobody holds them all."""

from collections.abc import AsyncIterator
from typing import Any

from billing.storage.pool import Pool

ROWS_AT_ONCE = 1000
COLUMNS = (
    "id",
    "customer_id",
    "number",
    "status",
    "currency",
    "total_cents",
    "paid_cents",
    "due_on",
    "created_at",
)


async def invoices_of_tenant(pool: Pool, tenant_id: int) -> AsyncIterator[list[tuple[Any, ...]]]:
    """Batches of rows, as of one moment, by id. Whoever stops in between and closes it ends the query."""
    query = """
        SELECT id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at
        FROM invoices WHERE tenant_id = %s ORDER BY id
    """
    async with (
        pool.connection() as connection,
        connection.transaction(),
        connection.cursor(name="export") as cursor,
    ):
        await cursor.execute(query, (tenant_id,))
        while rows := await cursor.fetchmany(ROWS_AT_ONCE):
            yield rows
