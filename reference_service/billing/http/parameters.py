"""Paths and queries are checked at the edge: past it, an id is a number and a date is a date."""

import re
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Path, Query, Request
from pydantic import BeforeValidator, StringConstraints, WithJsonSchema

from billing.storage.pool import Pool

MAX_BIGINT = 2**63 - 1


def id_from(text: str) -> int:
    """The number behind an opaque id. Raises ValueError for what the service never gave out."""
    if not re.fullmatch(r"[1-9][0-9]{0,18}", text) or int(text) > MAX_BIGINT:
        raise ValueError("is not an id")
    return int(text)


def date_from(value: Any) -> date:
    """A full date of RFC 3339. Raises ValueError."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("must be a date, YYYY-MM-DD")
    return date.fromisoformat(value)


async def pool_of(request: Request) -> Pool:
    pool: Pool = request.app.state.pool
    return pool


async def json_only(request: Request) -> None:
    """Refuse a body that does not say it is JSON (415)."""
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HTTPException(415, "Send a body of Content-Type application/json.")


Id = Annotated[int, Path(), BeforeValidator(id_from), WithJsonSchema({"type": "string"})]
IsoDate = Annotated[date, BeforeValidator(date_from), WithJsonSchema({"type": "string", "format": "date"})]
# ASCII, because "without regard to case" means the same everywhere only there.
Number = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[!-~]([ -~]*[!-~])?$")]
Limit = Annotated[int, Query(ge=1, le=100, description="how many items at most")]
Cursor = Annotated[str | None, Query(description="the next_cursor of the page before")]
Database = Annotated[Pool, Depends(pool_of)]
