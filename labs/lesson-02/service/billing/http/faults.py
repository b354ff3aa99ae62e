"""What went wrong inside becomes an answer outside."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from psycopg import Error, OperationalError
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response

from billing.domain.errors import NotFound, Refused, TotalOutOfRange
from billing.http import problems
from billing.http.cursors import BadCursor
from billing.http.tenancy import BadTenant

log = logging.getLogger(__name__)


def answer_faults(app: FastAPI) -> None:
    handlers: dict[type[Exception], Any] = {
        NotFound: not_found,
        Refused: refused,
        TotalOutOfRange: bad_value,
        BadCursor: bad_value,
        BadTenant: bad_tenant,
        RequestValidationError: invalid_request,
        HTTPException: http_exception,
        Error: database_error,
        OperationalError: postgres_trouble,
        PoolTimeout: postgres_trouble,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def not_found(request: Request, missing: NotFound) -> Response:
    return JSONResponse({"error": str(missing)}, 404)


async def refused(request: Request, refusal: Refused) -> Response:
    """The request was fine and we are fine, so it is a 200; the client looks at ok."""
    return JSONResponse({"ok": False, "reason": refusal.reason, "message": str(refusal)})


async def bad_value(request: Request, fault: Exception) -> Response:
    return JSONResponse({"error": {"code": 422, "message": str(fault)}}, 422)


async def bad_tenant(request: Request, fault: BadTenant) -> Response:
    return PlainTextResponse(str(fault), 400)


async def invalid_request(request: Request, invalid: RequestValidationError) -> Response:
    """As the framework does it. An id that can't exist is not found, and what is no JSON is 400."""
    errors = invalid.errors()
    for error in errors:
        if error["loc"][0] == "path":
            return await not_found(request, NotFound("thing"))
        if error["type"] == "json_invalid":
            return JSONResponse({"detail": "no JSON"}, 400)
    return JSONResponse({"detail": [error["msg"] for error in errors]}, 422)


async def http_exception(request: Request, fault: HTTPException) -> Response:
    return JSONResponse({"detail": fault.detail}, fault.status_code, fault.headers)


async def database_error(request: Request, trouble: Error) -> Response:
    log.error("database error", exc_info=trouble)
    return JSONResponse({"error": f"{type(trouble).__name__}: {trouble}"}, 500)


async def postgres_trouble(request: Request, trouble: Exception) -> Response:
    log.error("postgres does not serve", exc_info=trouble)
    return problems.unavailable("postgres")
