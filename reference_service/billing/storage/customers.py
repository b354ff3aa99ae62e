"""A customer is found only by its own tenant."""

from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg.errors import ForeignKeyViolation
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from billing.domain.customers import Customer, CustomerDetails
from billing.domain.errors import NotFound, Refused
from billing.storage.pages import Page, page_of
from billing.storage.pool import Connection


@dataclass(frozen=True)
class CustomerPosition:
    """Where a customer stands in the list: ids grow in the order of creation."""

    id: int


async def add(connection: Connection, tenant_id: int, details: CustomerDetails) -> Customer:
    query = """
        INSERT INTO customers (tenant_id, name, email, address)
        VALUES (%(tenant)s, %(name)s, %(email)s, %(address)s)
        RETURNING id, name, email, address, created_at
    """
    try:
        customer = await _one(connection, query, {"tenant": tenant_id, **_row(details)})
    except ForeignKeyViolation:
        raise NotFound("tenant") from None
    assert customer is not None
    return customer


async def get(connection: Connection, tenant_id: int, customer_id: int) -> Customer:
    """The customer. Raises NotFound when there is none, or when it is another tenant's."""
    query = """
        SELECT id, name, email, address, created_at FROM customers
        WHERE tenant_id = %(tenant)s AND id = %(id)s
    """
    return _found(await _one(connection, query, {"tenant": tenant_id, "id": customer_id}))


async def lock(connection: Connection, tenant_id: int, customer_id: int) -> Customer:
    """The customer, kept from others' changes until the end of the transaction. Raises NotFound."""
    query = """
        SELECT id, name, email, address, created_at FROM customers
        WHERE tenant_id = %(tenant)s AND id = %(id)s FOR NO KEY UPDATE
    """
    return _found(await _one(connection, query, {"tenant": tenant_id, "id": customer_id}))


async def save(
    connection: Connection, tenant_id: int, customer_id: int, details: CustomerDetails
) -> Customer:
    """Replace all that callers may choose. Raises NotFound."""
    query = """
        UPDATE customers SET name = %(name)s, email = %(email)s, address = %(address)s
        WHERE tenant_id = %(tenant)s AND id = %(id)s
        RETURNING id, name, email, address, created_at
    """
    parameters = {"tenant": tenant_id, "id": customer_id, **_row(details)}
    return _found(await _one(connection, query, parameters))


async def delete(connection: Connection, tenant_id: int, customer_id: int) -> None:
    """Raises NotFound, and Refused while there are invoices: they are kept for years, and so is who owes them."""
    query = "DELETE FROM customers WHERE tenant_id = %s AND id = %s"
    try:
        deleted = await connection.execute(query, (tenant_id, customer_id))
    except ForeignKeyViolation:
        raise Refused("customer-has-invoices", "This customer has invoices, so it is kept.") from None
    if deleted.rowcount == 0:
        raise NotFound("customer")


async def all_of_tenant(
    connection: Connection, tenant_id: int, after: CustomerPosition | None, limit: int
) -> Page[Customer, CustomerPosition]:
    """The tenant's customers, oldest first. Served by the unique (tenant_id, id)."""
    query = """
        SELECT id, name, email, address, created_at FROM customers
        WHERE tenant_id = %s AND id > %s
        ORDER BY id LIMIT %s
    """
    async with connection.cursor(row_factory=class_row(Customer)) as cursor:
        await cursor.execute(query, (tenant_id, after.id if after else 0, limit + 1))
        rows = await cursor.fetchall()
    return page_of(rows, limit, lambda customer: CustomerPosition(customer.id))


async def _one(connection: Connection, query: LiteralString, parameters: dict[str, Any]) -> Customer | None:
    async with connection.cursor(row_factory=class_row(Customer)) as cursor:
        await cursor.execute(query, parameters)
        return await cursor.fetchone()


def _found(customer: Customer | None) -> Customer:
    if customer is None:
        raise NotFound("customer")
    return customer


def _row(details: CustomerDetails) -> dict[str, Any]:
    address = None if details.address is None else Jsonb(details.address)
    return {"name": details.name, "email": details.email, "address": address}
