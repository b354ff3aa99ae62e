"""Customers of a tenant: created, listed, changed, deleted; and what they owe."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends
from pydantic import ValidationError

from billing.domain.customers import CustomerDetails
from billing.http import answers
from billing.http.bodies import CustomerBody
from billing.http.creation import Once
from billing.http.negotiation import json_sent
from billing.http.parameters import Database, Id, Limit
from billing.http.tenancy import Tenant
from billing.storage import customers, invoice_reads
from billing.storage.customers import CustomerPosition
from billing.storage.pool import Connection

router = APIRouter(prefix="/v1/customers", tags=["customers"])


@router.post("", status_code=201, dependencies=[Depends(json_sent)])
async def create_customer(body: CustomerBody, tenant: Tenant, creation: Once) -> answers.Customer:
    async def create(connection: Connection) -> answers.Customer:
        customer = await customers.add(connection, tenant, body.details())
        return answers.Customer.model_validate(customer)

    return await creation.once(create)


@router.get("")
async def list_customers(
    tenant: Tenant, pool: Database, limit: Limit = 20, cursor: int = 0
) -> dict[str, Any]:
    """The tenant's customers; `cursor` is the last id of the page before."""
    async with pool.connection() as connection:
        page = await customers.all_of_tenant(connection, tenant, CustomerPosition(cursor), limit)
    found = [answers.Customer.model_validate(customer) for customer in page.items]
    return {"customers": found, "cursor": page.next.id if page.next else 0}


@router.get("/{customer_id}")
async def get_customer(customer_id: Id, tenant: Tenant, pool: Database) -> answers.Customer:
    async with pool.connection() as connection:
        customer = await customers.get(connection, tenant, customer_id)
    return answers.Customer.model_validate(customer)


@router.put("/{customer_id}")
@router.patch("/{customer_id}")
async def update_customer(
    customer_id: Id, changes: Annotated[dict[str, Any], Body()], tenant: Tenant, pool: Database
) -> Any:
    """Takes over what is sent; works for PUT and PATCH."""
    async with pool.connection() as connection:
        customer = await customers.get(connection, tenant, customer_id)
        now = {"name": customer.name, "email": customer.email, "address": customer.address}
        now.update({name: value for name, value in changes.items() if name in now and value is not None})
        try:
            details: CustomerDetails = CustomerBody.model_validate(now).details()
        except ValidationError as invalid:
            return {"error": f"{invalid.error_count()} fields are invalid"}
        customer = await customers.save(connection, tenant, customer_id, details)
    return answers.Customer.model_validate(customer)


@router.delete("/{customer_id}")
async def delete_customer(customer_id: Id, tenant: Tenant, pool: Database) -> dict[str, bool]:
    async with pool.connection() as connection:
        await customers.delete(connection, tenant, customer_id)
    return {"deleted": True}


@router.get("/{customer_id}/balance")
async def get_balance(customer_id: Id, tenant: Tenant, pool: Database) -> answers.Balance:
    """What is outstanding over the customer's sent invoices."""
    async with pool.connection() as connection:
        balance = await invoice_reads.balance(connection, tenant, customer_id)
    return answers.Balance.model_validate(balance)
