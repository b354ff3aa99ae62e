"""The four reads that people wait for. Each reads only the rows it returns, whatever the size of the table.

`migrations/0004_invoice_indexes.sql` has one index for each: change the two together. A customer's list asks
for no tenant: its caller made sure that the customer is the tenant's, and the foreign key (tenant_id,
customer_id) keeps an invoice with its customer's tenant.
"""

from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from billing.domain.customers import Balance
from billing.domain.errors import NotFound
from billing.domain.invoices import Invoice
from billing.storage.pages import Page, page_of
from billing.storage.pool import Connection


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


# The first page and the later ones are two statements: one with "or there is no cursor" in it could not use
# the cursor as the place where the index is entered.
NEWEST_FIRST_PAGE = """
    SELECT id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at
    FROM invoices
    WHERE customer_id = %(customer)s
    ORDER BY created_at DESC, id DESC
    LIMIT %(rows)s
"""

NEWEST_NEXT_PAGE = """
    SELECT id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at
    FROM invoices
    WHERE customer_id = %(customer)s AND (created_at, id) < (%(created_at)s, %(id)s)
    ORDER BY created_at DESC, id DESC
    LIMIT %(rows)s
"""

OVERDUE_FIRST_PAGE = """
    SELECT id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at
    FROM invoices
    WHERE tenant_id = %(tenant)s AND status = 'sent' AND due_on < %(as_of)s
    ORDER BY due_on, id
    LIMIT %(rows)s
"""

OVERDUE_NEXT_PAGE = """
    SELECT id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at
    FROM invoices
    WHERE tenant_id = %(tenant)s AND status = 'sent' AND due_on < %(as_of)s
      AND (due_on, id) > (%(due_on)s, %(id)s)
    ORDER BY due_on, id
    LIMIT %(rows)s
"""

BY_NUMBER = """
    SELECT id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at
    FROM invoices
    WHERE tenant_id = %(tenant)s AND lower(number) = lower(%(number)s::text)
"""

BALANCE = """
    SELECT customers.id AS customer_id, tenants.currency, open.invoices AS open_invoices,
           open.cents AS outstanding_cents
    FROM customers
    JOIN tenants ON tenants.id = customers.tenant_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS invoices, coalesce(sum(total_cents - paid_cents), 0)::bigint AS cents
        FROM invoices
        WHERE customer_id = customers.id AND status = 'sent'
    ) AS open
    WHERE customers.tenant_id = %(tenant)s AND customers.id = %(customer)s
"""


async def newest_of_customer(
    connection: Connection, customer_id: int, after: NewestPosition | None, limit: int
) -> Page[Invoice, NewestPosition]:
    """A customer's invoices, newest first."""
    parameters: dict[str, object] = {"customer": customer_id, "rows": limit + 1}
    if after:
        parameters |= {"created_at": after.created_at, "id": after.id}
    async with connection.cursor(row_factory=class_row(Invoice)) as cursor:
        await cursor.execute(NEWEST_NEXT_PAGE if after else NEWEST_FIRST_PAGE, parameters)
        rows = await cursor.fetchall()
    return page_of(rows, limit, lambda invoice: NewestPosition(invoice.created_at, invoice.id))


async def overdue_of_tenant(
    connection: Connection, tenant_id: int, as_of: date, after: OverduePosition | None, limit: int
) -> Page[Invoice, OverduePosition]:
    """The tenant's sent invoices that were due before `as_of`, longest overdue first."""
    parameters: dict[str, object] = {"tenant": tenant_id, "as_of": as_of, "rows": limit + 1}
    if after:
        parameters |= {"due_on": after.due_on, "id": after.id}
    async with connection.cursor(row_factory=class_row(Invoice)) as cursor:
        await cursor.execute(OVERDUE_NEXT_PAGE if after else OVERDUE_FIRST_PAGE, parameters)
        rows = await cursor.fetchall()
    return page_of(rows, limit, _overdue_position)


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


def _overdue_position(invoice: Invoice) -> OverduePosition:
    assert invoice.due_on is not None  # an invoice is sent only with a due date; the table holds that too
    return OverduePosition(invoice.due_on, invoice.id)
