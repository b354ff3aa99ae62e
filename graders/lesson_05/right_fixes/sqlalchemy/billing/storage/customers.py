"""A customer is found only by its own tenant."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from billing.domain.customers import Customer, CustomerDetails
from billing.domain.errors import NotFound, Refused
from billing.storage.pages import Page, page_of
from billing.storage.pool import Connection
from billing.storage.tables import CustomerRow


@dataclass(frozen=True)
class CustomerPosition:
    """Where a customer stands in the list: ids grow in the order of creation."""

    id: int


async def add(session: Connection, tenant_id: int, details: CustomerDetails) -> Customer:
    row = CustomerRow(tenant_id=tenant_id, **vars(details))
    session.add(row)
    try:
        await session.flush()
    except IntegrityError:
        raise NotFound("tenant") from None
    await session.refresh(row)
    return _customer(row)


async def row_of(
    session: Connection, tenant_id: int, customer_id: int, *, locked: bool = False
) -> CustomerRow:
    """The row, with its tenant. Raises NotFound when there is none, or when it is another tenant's."""
    query = select(CustomerRow).where(CustomerRow.tenant_id == tenant_id, CustomerRow.id == customer_id)
    if locked:
        query = query.with_for_update(of=CustomerRow, key_share=True).execution_options(populate_existing=True)
    row = await session.scalar(query)
    if row is None:
        raise NotFound("customer")
    return row


async def get(session: Connection, tenant_id: int, customer_id: int) -> Customer:
    """The customer. Raises NotFound when there is none, or when it is another tenant's."""
    return _customer(await row_of(session, tenant_id, customer_id))


async def lock(session: Connection, tenant_id: int, customer_id: int) -> Customer:
    """The customer, kept from others' changes until the end of the transaction. Raises NotFound."""
    return _customer(await row_of(session, tenant_id, customer_id, locked=True))


async def save(session: Connection, tenant_id: int, customer_id: int, details: CustomerDetails) -> Customer:
    """Replace all that callers may choose. Raises NotFound."""
    row = await row_of(session, tenant_id, customer_id)
    for name, value in vars(details).items():
        setattr(row, name, value)
    await (session.flush() if session.nested else session.commit())
    return _customer(row)


async def delete(session: Connection, tenant_id: int, customer_id: int) -> None:
    """Raises NotFound, and Refused while there are invoices."""
    row = await row_of(session, tenant_id, customer_id)
    await session.delete(row)
    try:
        await session.commit()
    except IntegrityError:
        raise Refused("customer-has-invoices", "This customer has invoices, so it is kept.") from None


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
    return Customer(row.id, row.name, row.email, row.address, row.created_at)
