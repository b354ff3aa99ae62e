"""What the API has where there is a queue: orders for jobs, jobs, exports, and summaries from a cache."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from billing.domain.jobs import JobNotDead, QueueFull
from billing.http import exports, job_orders, jobs, problems, summaries
from billing.storage.summary_cache import SummaryCache

ROUTERS = (job_orders.router, jobs.router, exports.router, summaries.router)
SECONDS_TO_STAY_AWAY = "5"


@asynccontextmanager
async def later(queue_limit: int, cache_url: str, max_age: int) -> AsyncIterator[Callable[[FastAPI], None]]:
    """What adds all of it to the API, with the cache reached while the body runs."""
    cache = SummaryCache(cache_url, max_age)

    def install(app: FastAPI) -> None:
        app.state.queue_limit = queue_limit
        app.state.cache = cache
        app.add_exception_handler(QueueFull, queue_full)
        app.add_exception_handler(JobNotDead, job_not_dead)
        for router in ROUTERS:
            app.include_router(router)
            app.state.routes += [route for route in router.routes if isinstance(route, APIRoute)]

    try:
        yield install
    finally:
        await cache.close()


async def queue_full(request: Request, full: Exception) -> Response:
    return problems.response(problems.QUEUE_FULL, str(full), headers={"Retry-After": SECONDS_TO_STAY_AWAY})


async def job_not_dead(request: Request, refusal: Exception) -> Response:
    return problems.response(problems.JOB_NOT_DEAD, str(refusal))
