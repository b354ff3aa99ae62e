"""Beside a worker somebody answers whether it lives and what it has counted, while it works."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from starlette.responses import Response

from billing.http import health
from billing.http.exposition import exposition
from billing.operations.server import bind, server_for
from billing.storage.pool import Pool
from billing.telemetry.metrics import WorkerMetrics

SECONDS_TO_END = 1
SECONDS_BETWEEN_LOOKS = 0.01


@asynccontextmanager
async def served_beside(pool: Pool, metrics: WorkerMetrics, host: str, port: int) -> AsyncIterator[None]:
    """Serve /livez, /readyz and /metrics while the body runs. Raises OSError where the address is not to be had."""
    server = server_for(_api(pool, metrics), SECONDS_TO_END, beside=True)
    bound = bind(host, port)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    while not (server.started or serving.done()):
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def _api(pool: Pool, metrics: WorkerMetrics) -> FastAPI:
    api = FastAPI(openapi_url=None)
    api.state.pool = pool
    api.include_router(health.router)

    @api.get("/metrics")
    async def scraped(request: Request) -> Response:
        return await exposition(pool, metrics)

    return api
