"""The finance desk's view: invoices over all customers, filtered, sorted and counted."""

from dataclasses import dataclass
from typing import Literal

from psycopg import sql
from psycopg.rows import class_row, scalar_row

from billing.domain.invoices import Invoice, Status
from billing.storage.pages import Page, page_of
from billing.storage.pool import Connection

Sort = Literal["id", "-id", "total_cents", "-total_cents"]


@dataclass(frozen=True)
class Wanted:
    """Which invoices, in which order. A filter that is None lets all pass."""

    tenant_id: int
    status: Status | None
    customer_id: int | None
    sort: Sort


@dataclass(frozen=True)
class FinancePosition:
    """Where an invoice stands in one of the orders. It holds all that is compared: nobody's row is looked up for it."""

    sort: Sort
    value: int
    id: int


MATCHING = sql.SQL(
    """
    (%(customer)s::bigint IS NOT NULL OR tenant_id = %(tenant)s)
    AND (%(status)s::text IS NULL OR status = %(status)s)
    AND (%(customer)s::bigint IS NULL OR customer_id = %(customer)s)
    """
)
COUNT = sql.SQL("SELECT count(*) FROM invoices")
PAGE = sql.SQL(
    """
    SELECT id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at
    FROM invoices WHERE {matching} AND (%(id)s::bigint IS NULL OR ({column}, id) {beyond} (%(value)s, %(id)s))
    ORDER BY {column} {direction}, id {direction} LIMIT %(rows)s
    """
)


async def count(connection: Connection, wanted: Wanted) -> int:
    """How many invoices of the tenant match."""
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(COUNT)
        found = await cursor.fetchone()
    assert isinstance(found, int)
    return found


async def page(
    connection: Connection, wanted: Wanted, after: FinancePosition | None, limit: int
) -> Page[Invoice, FinancePosition]:
    """The matching invoices; the id breaks ties, in the direction of the order."""
    column, down = wanted.sort.removeprefix("-"), wanted.sort.startswith("-")
    query = PAGE.format(
        matching=MATCHING,
        column=sql.Identifier(column),
        beyond=sql.SQL("<" if down else ">"),
        direction=sql.SQL("DESC" if down else "ASC"),
    )
    place = {"value": after.value if after else None, "id": after.id if after else None, "rows": limit + 1}
    async with connection.cursor(row_factory=class_row(Invoice)) as cursor:
        await cursor.execute(query, _parameters(wanted) | place)
        rows = await cursor.fetchall()
    return page_of(rows, limit, lambda row: FinancePosition(wanted.sort, getattr(row, column), row.id))


async def lock_all(connection: Connection, tenant_id: int, invoice_ids: list[int]) -> list[Invoice]:
    """The invoices, locked in the order of their ids, so that two such requests never wait for each other in a ring."""
    query = """
        SELECT id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at
        FROM invoices WHERE id = ANY(%s) ORDER BY id FOR UPDATE
    """
    async with connection.cursor(row_factory=class_row(Invoice)) as cursor:
        await cursor.execute(query, (invoice_ids,))
        return await cursor.fetchall()


def _parameters(wanted: Wanted) -> dict[str, object]:
    return {"tenant": wanted.tenant_id, "status": wanted.status, "customer": wanted.customer_id}
