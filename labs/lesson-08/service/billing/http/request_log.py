"""A request has a line in the log that says all about it."""

import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billing.http import problems
from billing.operations.logs import begin_request
from billing.telemetry.correlation import received

log = logging.getLogger(__name__)


class RequestLog:
    """ASGI middleware, the outermost of ours."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        ids = received(headers.get("X-Request-ID"), headers.get("traceparent"))
        begin_request(ids)
        started = time.perf_counter()
        status = 0

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = ids.request_id
            await send(message)

        try:
            await self.app(scope, receive, noting_send)
        except Exception:
            log.exception("unforeseen failure")
            log.error("request failed: %s", scope["path"])
            if status == 0:
                answer = problems.response(problems.plain(500), "Something went wrong on our side.")
                await answer(scope, receive, noting_send)
        finally:
            _log_request(scope, status, time.perf_counter() - started)


def _log_request(scope: Scope, status: int, seconds: float) -> None:
    """Status 0 says that the request was cut off before an answer began."""
    fields = {
        "method": scope["method"],
        "route": scope["path"],
        "query": scope["query_string"].decode("latin-1"),
        "headers": dict(Headers(scope=scope)),
        "status": status,
        "duration_ms": round(seconds * 1000, 3),
    }
    log.info("request", extra={"fields": fields})
