"""The finance desk's tool: all invoices of the tenant at once. It asks no questions of its own about who may use it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from billing.domain.invoices import Status, void
from billing.http import answers
from billing.http.bodies import Body
from billing.http.cursors import BadCursor, Cursors
from billing.http.negotiation import json_sent, json_wanted
from billing.http.parameters import Cursor, Database, Limit, Summaries, id_from, known_query
from billing.http.problems import documented
from billing.http.tenancy import Tenant
from billing.storage import finance, invoices
from billing.storage.changes import changing
from billing.storage.finance import FinancePosition, Sort, Wanted

router = APIRouter(
    prefix="/v1/admin/invoices",
    tags=["admin"],
    dependencies=[Depends(json_wanted), Depends(known_query)],
    responses=documented(406, 422, 500, 503),
)
FINANCE = Cursors(FinancePosition)
MAX_AT_ONCE = 100


class FinancePage(answers.InvoicePage):
    total: int = Field(description="how many invoices match, on all pages together")


class Voiding(Body):
    invoice_ids: Annotated[list[str], Field(min_length=1, max_length=MAX_AT_ONCE)]


class Voided(BaseModel):
    voided: list[str]


def _id_or_nobody(text: str) -> int:
    """An id that can't exist is nobody's: it is no error of another kind."""
    try:
        return id_from(text)
    except ValueError:
        return 0


CustomerFilter = Annotated[int | None, BeforeValidator(_id_or_nobody), WithJsonSchema({"type": "string"})]


@router.get("")
async def list_finance_invoices(
    tenant: Tenant,
    pool: Database,
    status: Status | None = None,
    customer_id: Annotated[CustomerFilter, Query(description="only this customer's")] = None,
    sort: Sort = "id",
    limit: Limit = 20,
    cursor: Cursor = None,
) -> FinancePage:
    """The tenant's invoices over all customers; `-` before the name of the order turns it round."""
    after = FINANCE.decode(cursor)
    if after and after.sort != sort:
        raise BadCursor
    wanted = Wanted(tenant, status, customer_id, sort)
    async with pool.connection() as connection:
        page = await finance.page(connection, wanted, after, limit)
        total = await finance.count(connection, wanted)
    plain = answers.invoice_page(page.items, FINANCE.encode(page.next))
    return FinancePage(items=plain.items, next_cursor=plain.next_cursor, total=total)


@router.post("/void", dependencies=[Depends(json_sent)], responses=documented(400, 404, 409, 413, 415))
async def void_many(body: Voiding, tenant: Tenant, pool: Database, cache: Summaries) -> Voided:
    """All of these invoices become void, or none does."""
    ids = [_id_or_nobody(text) for text in body.invoice_ids]
    async with changing(cache) as touches, pool.connection() as connection, connection.transaction():
        for invoice in await finance.lock_all(connection, tenant, ids):
            await touches(invoice.customer_id)
            await invoices.save(connection, void(invoice))
    return Voided(voided=body.invoice_ids)
