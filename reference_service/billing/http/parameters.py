"""Paths and queries are checked at the edge: past it, an id is a number and a date is a date."""

import re
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BeforeValidator, StringConstraints, WithJsonSchema

from billing.storage.changes import Cache
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


def number_from(value: Any) -> Any:
    """Digits and nothing else: Python's int() would take 1_0 as well. Raises ValueError."""
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise ValueError("must be a whole number")
    return value


async def pool_of(request: Request) -> Pool:
    pool: Pool = request.app.state.pool
    return pool


async def cache_of(request: Request) -> Cache | None:
    """Where summaries are kept; None where there is no queue, and so no summary."""
    cache: Cache | None = getattr(request.app.state, "cache", None)
    return cache


async def known_query(request: Request) -> None:
    """Refuse a query parameter that the route does not have: a filter with a typing error would be no filter."""
    known = {parameter.alias for parameter in request.scope["route"].dependant.query_params}
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        faults = [
            {"loc": ("query", name), "type": "unknown", "msg": "is no parameter here"} for name in unknown
        ]
        raise RequestValidationError(faults)


Id = Annotated[int, Path(), BeforeValidator(id_from), WithJsonSchema({"type": "string"})]
IsoDate = Annotated[date, BeforeValidator(date_from), WithJsonSchema({"type": "string", "format": "date"})]
# ASCII, because "without regard to case" means the same everywhere only there.
Number = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[!-~]([ -~]*[!-~])?$")]
Limit = Annotated[
    int, Query(ge=1, le=100, description="how many items at most"), BeforeValidator(number_from)
]
Cursor = Annotated[str | None, Query(description="the next_cursor of the page before")]
Database = Annotated[Pool, Depends(pool_of)]
Summaries = Annotated[Cache | None, Depends(cache_of)]
