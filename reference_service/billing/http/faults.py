"""What went wrong inside becomes the right answer outside, in one place; handlers only raise."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response

from billing.domain.errors import KeyReused, NotFound, Refused, TotalOutOfRange
from billing.http import problems
from billing.http.cursors import BadCursor
from billing.http.tenancy import BadTenant

log = logging.getLogger(__name__)

WHAT_A_PATH_NAMES = {
    "customer_id": "customer",
    "invoice_id": "invoice",
    "number": "invoice",
    "payment_id": "payment",
    "user_id": "user",
    "job_id": "job",
}
# Where the framework's own words say nothing.
DETAILS = {
    400: "The body can't be read as JSON.",
    404: "There is nothing at this path.",
    405: "This path has other methods; see Allow.",
}


def answer_faults(app: FastAPI) -> None:
    """Register what answers each kind of exception. What is not here is a 500, see `request_log`."""
    handlers: dict[type[Exception], Any] = {
        NotFound: not_found,
        Refused: refused,
        KeyReused: key_reused,
        TotalOutOfRange: total_out_of_range,
        BadCursor: bad_cursor,
        BadTenant: bad_tenant,
        RequestValidationError: invalid_request,
        HTTPException: http_exception,
        OperationalError: postgres_trouble,
        PoolTimeout: postgres_trouble,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def not_found(request: Request, missing: NotFound) -> Response:
    return problems.response(problems.plain(404), str(missing))


async def refused(request: Request, refusal: Refused) -> Response:
    return problems.response(problems.CONFLICTS[refusal.reason], str(refusal))


async def key_reused(request: Request, reuse: KeyReused) -> Response:
    fault = problems.Fault(pointer="/header/Idempotency-Key", detail=str(reuse))
    return problems.response(problems.KEY_REUSED, str(reuse), errors=[fault])


async def total_out_of_range(request: Request, fault: TotalOutOfRange) -> Response:
    return _invalid([problems.Fault(pointer="/body/lines", detail=str(fault))])


async def bad_cursor(request: Request, fault: BadCursor) -> Response:
    return _invalid([problems.Fault(pointer="/query/cursor", detail=str(fault))])


async def bad_tenant(request: Request, fault: BadTenant) -> Response:
    return problems.response(problems.INVALID_TENANT, str(fault))


async def invalid_request(request: Request, invalid: RequestValidationError) -> Response:
    """422 with every fault; but an id that can't exist is not found, and what is no JSON at all is 400."""
    errors = invalid.errors()
    for error in errors:
        if error["loc"][0] == "path":
            return await not_found(request, NotFound(WHAT_A_PATH_NAMES[str(error["loc"][1])]))
        if error["type"] == "json_invalid":
            return problems.response(problems.plain(400), DETAILS[400])
    return _invalid([_fault(error) for error in errors])


async def http_exception(request: Request, fault: HTTPException) -> Response:
    """What the framework refuses by itself: no such route, no such method, a body too large or unreadable."""
    headers = dict(fault.headers or {})
    if fault.status_code == 405:
        headers["Allow"] = _allowed_methods(request) or headers.get("Allow", "")
    detail = DETAILS.get(fault.status_code, fault.detail)
    return problems.response(problems.plain(fault.status_code), detail, headers=headers)


async def postgres_trouble(request: Request, trouble: Exception) -> Response:
    log.error("postgres does not serve", exc_info=trouble)
    return problems.unavailable("postgres")


def _invalid(faults: list[problems.Fault]) -> Response:
    detail = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults)
    return problems.response(problems.INVALID_REQUEST, detail, errors=faults)


def _fault(error: dict[str, Any]) -> problems.Fault:
    """A validation error of pydantic's without the value at fault, which may be private."""
    # RFC 6901: ~ and / inside a name are written ~0 and ~1.
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in error["loc"]]
    return problems.Fault(pointer="/" + "/".join(parts), detail=error["msg"].removeprefix("Value error, "))


def _allowed_methods(request: Request) -> str:
    """All methods of this path; the framework names only those of the first route that fits."""
    routes = request.app.state.routes
    fitting = [route for route in routes if route.path_regex.match(request.scope["path"])]
    methods = {method for route in fitting for method in route.methods}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
