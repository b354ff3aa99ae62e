"""What a tenant's invoices of some days add up to. It may read many rows, so it is asked for by jobs only."""

from datetime import date
from typing import Any

from psycopg.rows import dict_row

from billing.storage.pool import Connection


async def totals(connection: Connection, tenant_id: int, first: date, until: date) -> dict[str, Any]:
    """Over the invoices created from `first` until before `until` (UTC) that are not void."""
    query = """
        SELECT count(*) AS invoices, coalesce(sum(total_cents), 0)::bigint AS total_cents,
               coalesce(sum(paid_cents), 0)::bigint AS paid_cents
        FROM invoices
        WHERE tenant_id = %s AND status <> 'void' AND created_at >= %s::date AND created_at < %s::date
    """
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, (tenant_id, first, until))
        return dict(await cursor.fetchone() or {})
