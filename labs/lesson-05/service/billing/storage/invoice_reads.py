"""The four reads that people wait for.

`migrations/0004_invoice_indexes.sql` has the indexes. A list of a customer does not ask for the tenant again: the
caller has made sure that the customer is the tenant's, and the foreign key (tenant_id, customer_id) keeps an invoice
with its customer's tenant.
"""

from dataclasses import dataclass
from datetime import date

from psycopg.rows import class_row

from billing.domain.customers import Balance
from billing.domain.errors import NotFound
from billing.domain.invoices import Invoice
from billing.storage.pages import Page, page_of
from billing.storage.pool import Connection


@dataclass(frozen=True)
class NewestPosition:
    """Where a page of a customer's list begins: after so many invoices."""

    offset: int


@dataclass(frozen=True)
class OverduePosition:
    """Where a page of the overdue list begins: after so many invoices."""

    offset: int


NEWEST = """
    SELECT id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at
    FROM invoices
    WHERE customer_id = %(customer)s
    ORDER BY created_at DESC
    LIMIT %(rows)s OFFSET %(offset)s
"""

OVERDUE = """
    SELECT id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at
    FROM invoices
    WHERE tenant_id = %(tenant)s AND status = 'sent' AND due_on < %(as_of)s
    ORDER BY due_on, id
    LIMIT %(rows)s OFFSET %(offset)s
"""

BY_NUMBER = """
    SELECT id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at
    FROM invoices
    WHERE tenant_id = %(tenant)s AND upper(number) = upper(%(number)s::text)
"""

BALANCE = """
    SELECT customers.id AS customer_id, tenants.currency,
           count(*) FILTER (WHERE invoices.status = 'sent') AS open_invoices,
           coalesce(sum(total_cents - paid_cents) FILTER (WHERE invoices.status = 'sent'), 0)::bigint AS outstanding_cents
    FROM customers
    JOIN tenants ON tenants.id = customers.tenant_id
    LEFT JOIN invoices ON invoices.customer_id = customers.id
    WHERE customers.tenant_id = %(tenant)s AND customers.id = %(customer)s
    GROUP BY customers.id, tenants.currency
"""


async def newest_of_customer(
    connection: Connection, customer_id: int, after: NewestPosition | None, limit: int
) -> Page[Invoice, NewestPosition]:
    """A customer's invoices, newest first."""
    offset = after.offset if after else 0
    async with connection.cursor(row_factory=class_row(Invoice)) as cursor:
        await cursor.execute(NEWEST, {"customer": customer_id, "rows": limit + 1, "offset": offset})
        rows = await cursor.fetchall()
    return page_of(rows, limit, lambda last: NewestPosition(offset + limit))


async def overdue_of_tenant(
    connection: Connection, tenant_id: int, as_of: date, after: OverduePosition | None, limit: int
) -> Page[Invoice, OverduePosition]:
    """The tenant's sent invoices that were due before `as_of`, longest overdue first."""
    offset = after.offset if after else 0
    parameters = {"tenant": tenant_id, "as_of": as_of, "rows": limit + 1, "offset": offset}
    async with connection.cursor(row_factory=class_row(Invoice)) as cursor:
        await cursor.execute(OVERDUE, parameters)
        rows = await cursor.fetchall()
    return page_of(rows, limit, lambda last: OverduePosition(offset + limit))


async def by_number(connection: Connection, tenant_id: int, number: str) -> Invoice:
    """The tenant's invoice of that number, without regard to case. Raises NotFound."""
    async with connection.cursor(row_factory=class_row(Invoice)) as cursor:
        await cursor.execute(BY_NUMBER, {"tenant": tenant_id, "number": number})
        invoice = await cursor.fetchone()
    if invoice is None:
        raise NotFound("invoice")
    return invoice


async def balance(connection: Connection, tenant_id: int, customer_id: int) -> Balance:
    """What the customer owes. Raises NotFound when the customer is not the tenant's."""
    async with connection.cursor(row_factory=class_row(Balance)) as cursor:
        await cursor.execute(BALANCE, {"tenant": tenant_id, "customer": customer_id})
        row = await cursor.fetchone()
    if row is None:
        raise NotFound("customer")
    return row
