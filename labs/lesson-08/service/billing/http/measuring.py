"""Every request is counted, by its path and by how it ended."""

import time

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billing.http.exposition import exposition
from billing.storage.pool import Pool
from billing.telemetry.metrics import WebMetrics


class Measuring:
    """ASGI middleware, outside of all others. Answers /metrics itself, so that nothing else can come before it."""

    def __init__(self, app: ASGIApp, pool: Pool, metrics: WebMetrics) -> None:
        self.app = app
        self.pool = pool
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"] == "/metrics" and scope["method"] == "GET":
            answer = await exposition(self.pool, self.metrics)
            await answer(scope, receive, send)
        else:
            await self._counted(scope, receive, send)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, started = 0, time.perf_counter()

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self.app(scope, receive, noting_send)
        milliseconds = (time.perf_counter() - started) * 1000
        self.metrics.answered(scope["method"], scope["path"], status, milliseconds)


def measure(api: FastAPI, pool: Pool, version: str) -> None:
    """From here on the API counts what it does, and tells it."""
    api.add_middleware(Measuring, pool=pool, metrics=WebMetrics(version))
