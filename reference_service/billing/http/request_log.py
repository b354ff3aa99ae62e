"""A request has one id and one line in the log; what nobody foresaw is logged once and leaks nothing."""

import logging
import re
import time
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billing.http import problems
from billing.operations.logs import begin_request

log = logging.getLogger(__name__)

# An id that a proxy in front gave is kept, unless it could break a log or a header.
ACCEPTED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class RequestLog:
    """ASGI middleware, the outermost of ours."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request_id = _request_id(Headers(scope=scope))
        begin_request(request_id)
        started = time.perf_counter()
        status = 0

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, noting_send)
        except Exception:
            log.exception("unforeseen failure")
            if status == 0:
                answer = problems.response(problems.plain(500), "Something went wrong on our side.")
                await answer(scope, receive, noting_send)
        finally:
            _log_request(scope, status, time.perf_counter() - started)


def _request_id(headers: Headers) -> str:
    given = headers.get("X-Request-ID", "")
    return given if ACCEPTED_REQUEST_ID.fullmatch(given) else uuid4().hex


def _log_request(scope: Scope, status: int, seconds: float) -> None:
    """Status 0 says that the request was cut off before an answer began."""
    fields = {
        "method": scope["method"],
        "route": getattr(scope.get("route"), "path_format", None),
        "status": status,
        "duration_ms": round(seconds * 1000, 3),
    }
    log.info("request", extra={"fields": fields})
