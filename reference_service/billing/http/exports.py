"""An export leaves as it is read: the first byte at once, a batch in memory, and nothing once the caller has left."""

import csv
import io
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from datetime import date
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from billing.http.negotiation import takes
from billing.http.parameters import Database, known_query
from billing.http.problems import documented
from billing.http.tenancy import Tenant
from billing.storage import exports

CSV = "text/csv"


async def csv_wanted(request: Request) -> None:
    """Refuse a caller that would not take CSV (406)."""
    accept = ",".join(request.headers.getlist("Accept"))
    if accept.strip() and not takes(accept, CSV):
        raise HTTPException(406, "This is answered with text/csv only.")


class CsvResponse(StreamingResponse):
    """A stream of CSV that is closed with the response, however that ends: the query behind it ends, too."""

    media_type = CSV

    def __init__(self, rows: AsyncGenerator[str, None]) -> None:
        super().__init__(rows)
        self._rows = rows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._rows):
            await super().__call__(scope, receive, send)


router = APIRouter(
    prefix="/v1/exports",
    tags=["exports"],
    dependencies=[Depends(csv_wanted), Depends(known_query)],
    responses=documented(400, 406, 422, 500, 503),
)


@router.get(
    "/invoices.csv",
    response_class=Response,
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}},
)
async def export_invoices(tenant: Tenant, pool: Database) -> Response:
    """All invoices of the tenant as CSV (RFC 4180) with a header, by id, as of one moment."""
    batches = exports.invoices_of_tenant(pool, tenant)
    # Before a status is sent: afterwards no trouble could be told any more.
    first: list[tuple[Any, ...]] = await anext(batches, [])
    return CsvResponse(_lines(first, batches))


async def _lines(first: Iterable[tuple[Any, ...]], batches: Any) -> AsyncGenerator[str, None]:
    async with aclosing(batches):
        yield _csv([exports.COLUMNS, *first])
        async for rows in batches:
            yield _csv(rows)


def _csv(rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    # datetime is a date, too: both are written as in JSON.
    csv.writer(text).writerows(
        [cell.isoformat() if isinstance(cell, date) else cell for cell in row] for row in rows
    )
    return text.getvalue()
