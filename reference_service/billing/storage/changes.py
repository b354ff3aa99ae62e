"""A write says whose summary it changes before it commits, so that no cache is left with what was before it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol
from uuid import uuid4

Touches = Callable[[int], Awaitable[None]]


class Cache(Protocol):
    """Where summaries are kept; see `summary_cache`."""

    async def begin(self, customer_id: int, write: str) -> None: ...

    async def end(self, customers: set[int], write: str) -> None: ...


@asynccontextmanager
async def changing(cache: Cache | None) -> AsyncIterator[Touches]:
    """Stands around a transaction. What it gives is called inside of it, with the customer whose summary is to change."""
    write, touched = uuid4().hex, set[int]()

    async def touches(customer_id: int) -> None:
        if cache and customer_id not in touched:
            touched.add(customer_id)
            await cache.begin(customer_id, write)

    try:
        yield touches
    finally:
        if cache:
            await cache.end(touched, write)
