"""A customer on one line: read from the cache, and never older than the last change that was answered."""

from datetime import datetime

from fastapi import APIRouter, Depends, Request

from billing.domain.summaries import Summary as StoredSummary
from billing.http.answers import Answer
from billing.http.negotiation import json_wanted
from billing.http.parameters import Database, Id, known_query
from billing.http.problems import documented
from billing.http.tenancy import Tenant
from billing.storage import summaries
from billing.storage.summary_cache import SummaryCache

router = APIRouter(
    prefix="/v1/customers",
    tags=["customers"],
    dependencies=[Depends(json_wanted), Depends(known_query)],
    responses=documented(400, 404, 406, 422, 500, 503),
)


class Summary(Answer):
    customer_id: str
    currency: str
    invoices: int
    drafts: int
    total_cents: int
    paid_cents: int
    outstanding_cents: int
    newest_at: datetime | None


@router.get("/{customer_id}/summary")
async def get_summary(customer_id: Id, tenant: Tenant, pool: Database, request: Request) -> Summary:
    """What the customer's invoices add up to; void ones don't count."""

    async def read() -> StoredSummary:
        async with pool.connection() as connection:
            return await summaries.summary(connection, tenant, customer_id)

    cache: SummaryCache = request.app.state.cache
    return Summary.model_validate(await cache.get(tenant, customer_id, read))
