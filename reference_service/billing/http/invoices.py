"""Invoices: written, listed, found. What happens to one in its life stands in `invoice_life`."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from billing.domain.invoices import total
from billing.http import answers
from billing.http.bodies import NewInvoice
from billing.http.creation import Created, Once
from billing.http.cursors import Cursors
from billing.http.negotiation import json_sent, json_wanted
from billing.http.parameters import Cursor, Database, Id, IsoDate, Limit, Number, Summaries, known_query
from billing.http.problems import documented
from billing.http.tenancy import Tenant
from billing.storage import customers, invoice_reads, invoices
from billing.storage.changes import changing
from billing.storage.invoice_reads import NewestPosition, OverduePosition
from billing.storage.pool import Connection

router = APIRouter(
    tags=["invoices"],
    dependencies=[Depends(json_wanted), Depends(known_query)],
    responses=documented(400, 406, 422, 500, 503),
)
NEWEST = Cursors(NewestPosition)
OVERDUE = Cursors(OverduePosition)


@router.get("/v1/customers/{customer_id}/invoices", responses=documented(404))
async def list_invoices_of_customer(
    customer_id: Id, tenant: Tenant, pool: Database, limit: Limit = 20, cursor: Cursor = None
) -> answers.InvoicePage:
    """The customer's invoices, newest first; among those of one moment, the larger id first."""
    after = NEWEST.decode(cursor)
    async with pool.connection() as connection:
        customer = await customers.get(connection, tenant, customer_id)
        page = await invoice_reads.newest_of_customer(connection, customer.id, after, limit)
    return answers.invoice_page(page.items, NEWEST.encode(page.next))


@router.post(
    "/v1/customers/{customer_id}/invoices",
    status_code=201,
    response_model=answers.InvoiceWithLines,
    dependencies=[Depends(json_sent)],
    responses=documented(404, 409, 413, 415),
)
async def create_invoice(
    customer_id: Id, body: NewInvoice, tenant: Tenant, creation: Once, cache: Summaries
) -> Response:
    """A draft in the tenant's currency. Without a number it gets the next one of the tenant."""
    lines = [line.line() for line in body.lines]
    draft = invoices.Draft(tenant, customer_id, total(lines), lines)

    async def create(connection: Connection) -> Created:
        await customers.get(connection, tenant, customer_id)
        await touches(customer_id)
        if body.number is None:
            invoice = await invoices.add_with_next_number(connection, draft)
        else:
            invoice = await invoices.add(connection, draft, body.number)
        return Created(answers.invoice_with_lines(invoice, lines), f"/v1/invoices/{invoice.id}")

    async with changing(cache) as touches:
        return await creation.once(create)


@router.get("/v1/invoices/overdue")
async def list_overdue_invoices(
    tenant: Tenant,
    pool: Database,
    as_of: Annotated[IsoDate | None, Query(description="left out: today, in UTC")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> answers.InvoicePage:
    """The tenant's sent invoices that were due before `as_of`, longest overdue first, then by id."""
    after = OVERDUE.decode(cursor)
    day = as_of or datetime.now(UTC).date()
    async with pool.connection() as connection:
        page = await invoice_reads.overdue_of_tenant(connection, tenant, day, after, limit)
    return answers.invoice_page(page.items, OVERDUE.encode(page.next))


# A number may hold a slash (2024/117), so it is the whole rest of the path.
@router.get("/v1/invoices/by-number/{number:path}", responses=documented(404))
async def get_invoice_by_number(number: Number, tenant: Tenant, pool: Database) -> answers.InvoiceWithLines:
    """The invoice of that number, without regard to case."""
    async with pool.connection() as connection:
        invoice = await invoice_reads.by_number(connection, tenant, number)
        lines = await invoices.lines_of(connection, invoice.id)
    return answers.invoice_with_lines(invoice, lines)


@router.get("/v1/invoices/{invoice_id}", responses=documented(404))
async def get_invoice(invoice_id: Id, tenant: Tenant, pool: Database) -> answers.InvoiceWithLines:
    async with pool.connection() as connection:
        invoice = await invoices.get(connection, tenant, invoice_id)
        lines = await invoices.lines_of(connection, invoice.id)
    return answers.invoice_with_lines(invoice, lines)
