"""A customer is found only by its own tenant."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from billing.domain.customers import Customer
from billing.domain.errors import NotFound
from billing.storage.pages import Page, page_of
from billing.storage.pool import Connection
from billing.storage.tables import CustomerRow


@dataclass(frozen=True)
class CustomerPosition:
    """Where a customer stands in the list: ids grow in the order of creation."""

    id: int


async def add(session: Connection, tenant_id: int, name: str, email: str) -> Customer:
    row = CustomerRow(tenant_id=tenant_id, name=name, email=email)
    session.add(row)
    try:
        await session.commit()
    except IntegrityError:
        raise NotFound("tenant") from None
    await session.refresh(row)
    return _customer(row)


async def row_of(session: Connection, tenant_id: int, customer_id: int) -> CustomerRow:
    """The row, with its tenant. Raises NotFound when there is none, or when it is another tenant's."""
    query = select(CustomerRow).where(CustomerRow.tenant_id == tenant_id, CustomerRow.id == customer_id)
    row = await session.scalar(query)
    if row is None:
        raise NotFound("customer")
    return row


async def get(session: Connection, tenant_id: int, customer_id: int) -> Customer:
    """The customer. Raises NotFound when there is none, or when it is another tenant's."""
    return _customer(await row_of(session, tenant_id, customer_id))


async def all_of_tenant(
    session: Connection, tenant_id: int, after: CustomerPosition | None, limit: int
) -> Page[Customer, CustomerPosition]:
    """The tenant's customers, oldest first."""
    query = (
        select(CustomerRow)
        .where(CustomerRow.tenant_id == tenant_id, CustomerRow.id > (after.id if after else 0))
        .order_by(CustomerRow.id)
        .limit(limit + 1)
    )
    rows = [_customer(row) for row in await session.scalars(query)]
    return page_of(rows, limit, lambda customer: CustomerPosition(customer.id))


def _customer(row: CustomerRow) -> Customer:
    return Customer(row.id, row.name, row.email, row.created_at)
