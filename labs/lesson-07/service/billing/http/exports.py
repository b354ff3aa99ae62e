"""An export of all invoices of a tenant as CSV."""

import csv
import io
from collections.abc import Iterable
from datetime import date
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response

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
    rows = [row async for batch in exports.invoices_of_tenant(pool, tenant) for row in batch]
    return Response(_csv([exports.COLUMNS, *rows]), media_type=CSV)


def _csv(rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    # datetime is a date, too: both are written as in JSON.
    csv.writer(text).writerows(
        [cell.isoformat() if isinstance(cell, date) else cell for cell in row] for row in rows
    )
    return text.getvalue()
