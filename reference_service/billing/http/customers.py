"""Customers of a tenant: created, listed, changed, deleted; and what they owe."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from billing.domain.customers import Customer, CustomerDetails
from billing.domain.merge_patch import merged
from billing.http import answers
from billing.http.bodies import CustomerBody, CustomerPatch
from billing.http.creation import Created, Once
from billing.http.cursors import Cursors
from billing.http.negotiation import MERGE_PATCH, json_sent, json_wanted, merge_patch_sent
from billing.http.parameters import Cursor, Database, Id, Limit, Summaries, known_query
from billing.http.problems import documented
from billing.http.tenancy import Tenant
from billing.storage import customers, invoice_reads
from billing.storage.changes import changing
from billing.storage.customers import CustomerPosition
from billing.storage.pool import Connection

router = APIRouter(
    prefix="/v1/customers",
    tags=["customers"],
    dependencies=[Depends(known_query)],
    responses=documented(400, 422, 500, 503),
)
BY_ID = Cursors(CustomerPosition)
JSON_OUT = Depends(json_wanted)
JSON_IN_OUT = [JSON_OUT, Depends(json_sent)]


@router.post(
    "",
    status_code=201,
    response_model=answers.Customer,
    dependencies=JSON_IN_OUT,
    responses=documented(404, 406, 413, 415),
)
async def create_customer(body: CustomerBody, tenant: Tenant, creation: Once) -> Response:
    async def create(connection: Connection) -> Created:
        customer = await customers.add(connection, tenant, body.details())
        return Created(answers.Customer.model_validate(customer), f"/v1/customers/{customer.id}")

    return await creation.once(create)


@router.get("", dependencies=[JSON_OUT], responses=documented(406))
async def list_customers(
    tenant: Tenant, pool: Database, limit: Limit = 20, cursor: Cursor = None
) -> answers.CustomerPage:
    """The tenant's customers in the order of their creation."""
    after = BY_ID.decode(cursor)
    async with pool.connection() as connection:
        page = await customers.all_of_tenant(connection, tenant, after, limit)
    return answers.customer_page(page.items, BY_ID.encode(page.next))


@router.get("/{customer_id}", dependencies=[JSON_OUT], responses=documented(404, 406))
async def get_customer(customer_id: Id, tenant: Tenant, pool: Database) -> answers.Customer:
    async with pool.connection() as connection:
        customer = await customers.get(connection, tenant, customer_id)
    return answers.Customer.model_validate(customer)


@router.put("/{customer_id}", dependencies=JSON_IN_OUT, responses=documented(404, 406, 413, 415))
async def replace_customer(
    customer_id: Id, body: CustomerBody, tenant: Tenant, pool: Database
) -> answers.Customer:
    """All that callers may choose is replaced: what is left out has no value afterwards. Makes no new customer."""
    async with pool.connection() as connection:
        customer = await customers.save(connection, tenant, customer_id, body.details())
    return answers.Customer.model_validate(customer)


@router.patch(
    "/{customer_id}",
    dependencies=[JSON_OUT, Depends(merge_patch_sent)],
    responses=documented(404, 406, 413, 415),
)
async def change_customer(
    customer_id: Id,
    patch: Annotated[CustomerPatch, Body(media_type=MERGE_PATCH)],
    tenant: Tenant,
    pool: Database,
) -> answers.Customer:
    """Only what is named changes. The customer that results must be one that could have been created."""
    async with pool.connection() as connection, connection.transaction():
        current = await customers.lock(connection, tenant, customer_id)
        customer = await customers.save(connection, tenant, customer_id, patched(current, patch))
    return answers.Customer.model_validate(customer)


@router.delete("/{customer_id}", status_code=204, response_class=Response, responses=documented(404, 409))
async def delete_customer(customer_id: Id, tenant: Tenant, pool: Database, cache: Summaries) -> None:
    """Only a customer without invoices can go."""
    async with changing(cache) as touches, pool.connection() as connection:
        await touches(customer_id)
        await customers.delete(connection, tenant, customer_id)


@router.get("/{customer_id}/balance", dependencies=[JSON_OUT], responses=documented(404, 406))
async def get_balance(customer_id: Id, tenant: Tenant, pool: Database) -> answers.Balance:
    """What is outstanding over the customer's sent invoices."""
    async with pool.connection() as connection:
        balance = await invoice_reads.balance(connection, tenant, customer_id)
    return answers.Balance.model_validate(balance)


def patched(customer: Customer, patch: CustomerPatch) -> CustomerDetails:
    """The customer's details after the patch. Raises RequestValidationError where they would not be whole."""
    now = {"name": customer.name, "email": customer.email, "address": customer.address}
    try:
        body = CustomerBody.model_validate(merged(now, patch.model_dump(exclude_unset=True)))
    except ValidationError as invalid:
        faults = [{**error, "loc": ("body", *error["loc"])} for error in invalid.errors()]
        raise RequestValidationError(faults) from None
    return body.details()
