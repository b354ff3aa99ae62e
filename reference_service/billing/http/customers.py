"""Customers of a tenant, and what they owe."""

from fastapi import APIRouter, Depends, Response

from billing.http import answers
from billing.http.bodies import NewCustomer
from billing.http.cursors import Cursors
from billing.http.parameters import Cursor, Database, Id, Limit, json_only
from billing.http.problems import documented
from billing.http.tenancy import Tenant
from billing.storage import customers, invoice_reads
from billing.storage.customers import CustomerPosition

router = APIRouter(prefix="/v1/customers", tags=["customers"], responses=documented(400, 422, 500, 503))
BY_ID = Cursors(CustomerPosition)


@router.post("", status_code=201, dependencies=[Depends(json_only)], responses=documented(404, 413, 415))
async def create_customer(
    body: NewCustomer, tenant: Tenant, pool: Database, response: Response
) -> answers.Customer:
    async with pool.connection() as connection:
        customer = await customers.add(connection, tenant, body.name, body.email)
    response.headers["Location"] = f"/v1/customers/{customer.id}"
    return answers.Customer.model_validate(customer)


@router.get("")
async def list_customers(
    tenant: Tenant, pool: Database, limit: Limit = 20, cursor: Cursor = None
) -> answers.CustomerPage:
    """The tenant's customers in the order of their creation."""
    after = BY_ID.decode(cursor)
    async with pool.connection() as connection:
        page = await customers.all_of_tenant(connection, tenant, after, limit)
    return answers.customer_page(page.items, BY_ID.encode(page.next))


@router.get("/{customer_id}", responses=documented(404))
async def get_customer(customer_id: Id, tenant: Tenant, pool: Database) -> answers.Customer:
    async with pool.connection() as connection:
        customer = await customers.get(connection, tenant, customer_id)
    return answers.Customer.model_validate(customer)


@router.get("/{customer_id}/balance", responses=documented(404))
async def get_balance(customer_id: Id, tenant: Tenant, pool: Database) -> answers.Balance:
    """What is outstanding over the customer's sent invoices."""
    async with pool.connection() as connection:
        balance = await invoice_reads.balance(connection, tenant, customer_id)
    return answers.Balance.model_validate(balance)
