"""A customer's summary costs the customer's invoices. So it is cached, see `summary_cache`."""

from typing import LiteralString

from psycopg.rows import class_row

from billing.domain.errors import NotFound
from billing.domain.summaries import Summary
from billing.storage.pool import Connection

SUMMARY: LiteralString = """
    SELECT customers.id AS customer_id, tenants.currency,
           count(invoices.id) AS invoices,
           count(invoices.id) FILTER (WHERE status = 'draft') AS drafts,
           coalesce(sum(total_cents) FILTER (WHERE status <> 'draft'), 0)::bigint AS total_cents,
           coalesce(sum(paid_cents), 0)::bigint AS paid_cents,
           coalesce(sum(total_cents - paid_cents) FILTER (WHERE status = 'sent'), 0)::bigint AS outstanding_cents,
           max(invoices.created_at) AS newest_at
    FROM customers JOIN tenants ON tenants.id = customers.tenant_id
    LEFT JOIN invoices ON invoices.customer_id = customers.id AND invoices.status <> 'void'
    WHERE customers.tenant_id = %s AND customers.id = %s
    GROUP BY customers.id, tenants.currency
"""


async def summary(connection: Connection, tenant_id: int, customer_id: int) -> Summary:
    """What the customer's invoices add up to. Raises NotFound when the customer is not the tenant's."""
    async with connection.cursor(row_factory=class_row(Summary)) as cursor:
        await cursor.execute(SUMMARY, (tenant_id, customer_id))
        row = await cursor.fetchone()
    if row is None:
        raise NotFound("customer")
    return row
