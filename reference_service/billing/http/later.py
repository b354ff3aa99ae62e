"""What the API has where there is a queue: orders for jobs, jobs, exports, and summaries from a cache."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from billing.http import exports, job_orders, jobs, summaries
from billing.http.api import Later
from billing.storage.summary_cache import SummaryCache


@asynccontextmanager
async def later(queue_limit: int, cache_url: str, max_age: int) -> AsyncIterator[Later]:
    """All of it, with the cache reached while the body runs."""
    cache = SummaryCache(cache_url, max_age)
    try:
        yield Later((job_orders.router, jobs.router, exports.router, summaries.router), queue_limit, cache)
    finally:
        await cache.close()
