"""A write says whose summary it changes before it commits, so that no cache is left with what was before it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol
from uuid import uuid4

from billing.storage.pool import Connection, Pool


class Cache(Protocol):
    """Where summaries are kept; see `summary_cache`."""

    async def begin(self, customer_id: int, write: str) -> None: ...

    async def end(self, customers: set[int], write: str) -> None: ...


class Change:
    """One transaction, and the customers whose summaries it touches."""

    def __init__(self, connection: Connection, cache: Cache | None) -> None:
        self.connection = connection
        self._cache = cache
        self._write = uuid4().hex
        self._touched: set[int] = set()

    async def touches(self, customer_id: int) -> None:
        """The customer's summary is about to change. To be called before the transaction commits."""
        if self._cache and customer_id not in self._touched:
            self._touched.add(customer_id)
            await self._cache.begin(customer_id, self._write)

    async def over(self) -> None:
        if self._cache:
            await self._cache.end(self._touched, self._write)


@asynccontextmanager
async def change(pool: Pool, cache: Cache | None) -> AsyncIterator[Change]:
    """A transaction, committed where the body ends well."""
    async with pool.connection() as connection:
        begun = Change(connection, cache)
        try:
            async with connection.transaction():
                yield begun
        finally:
            await begun.over()
