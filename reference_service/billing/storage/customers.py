"""A customer is found only by its own tenant."""

from dataclasses import dataclass

from psycopg.errors import ForeignKeyViolation
from psycopg.rows import class_row

from billing.domain.customers import Customer
from billing.domain.errors import NotFound
from billing.storage.pages import Page, page_of
from billing.storage.pool import Connection


@dataclass(frozen=True)
class CustomerPosition:
    """Where a customer stands in the list: ids grow in the order of creation."""

    id: int


async def add(connection: Connection, tenant_id: int, name: str, email: str) -> Customer:
    query = """
        INSERT INTO customers (tenant_id, name, email) VALUES (%(tenant)s, %(name)s, %(email)s)
        RETURNING id, name, email, created_at
    """
    parameters = {"tenant": tenant_id, "name": name, "email": email}
    async with connection.cursor(row_factory=class_row(Customer)) as cursor:
        try:
            await cursor.execute(query, parameters)
        except ForeignKeyViolation:
            raise NotFound("tenant") from None
        row = await cursor.fetchone()
    assert row is not None
    return row


async def get(connection: Connection, tenant_id: int, customer_id: int) -> Customer:
    """The customer. Raises NotFound when there is none, or when it is another tenant's."""
    query = "SELECT id, name, email, created_at FROM customers WHERE tenant_id = %s AND id = %s"
    async with connection.cursor(row_factory=class_row(Customer)) as cursor:
        await cursor.execute(query, (tenant_id, customer_id))
        customer = await cursor.fetchone()
    if customer is None:
        raise NotFound("customer")
    return customer


async def all_of_tenant(
    connection: Connection, tenant_id: int, after: CustomerPosition | None, limit: int
) -> Page[Customer, CustomerPosition]:
    """The tenant's customers, oldest first. Served by the unique (tenant_id, id)."""
    query = """
        SELECT id, name, email, created_at FROM customers
        WHERE tenant_id = %s AND id > %s
        ORDER BY id LIMIT %s
    """
    async with connection.cursor(row_factory=class_row(Customer)) as cursor:
        await cursor.execute(query, (tenant_id, after.id if after else 0, limit + 1))
        rows = await cursor.fetchall()
    return page_of(rows, limit, lambda customer: CustomerPosition(customer.id))
