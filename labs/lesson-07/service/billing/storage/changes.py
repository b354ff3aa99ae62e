"""A write says whose summary it changes, so that the cache forgets it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

Touches = Callable[[int], Awaitable[None]]


class Cache(Protocol):
    """Where summaries are kept; see `summary_cache`."""

    async def begin(self, customer_id: int, write: str) -> None: ...

    async def end(self, customers: set[int], write: str) -> None: ...


@asynccontextmanager
async def changing(cache: Cache | None) -> AsyncIterator[Touches]:
    """What it gives is called with the customer whose summary is to change."""

    async def touches(customer_id: int) -> None:
        if cache:
            await cache.begin(customer_id, "")

    yield touches
