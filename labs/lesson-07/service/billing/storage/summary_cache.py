"""Summaries in Redis, so that the customers' page is fast."""

from collections.abc import Awaitable, Callable, Iterable

from redis.asyncio import Redis

from billing.domain.summaries import Summary
from billing.storage.cached_summaries import decoded, encoded, keys_of

Read = Callable[[], Awaitable[Summary]]


class SummaryCache:
    """The summaries in one Redis."""

    def __init__(self, url: str, max_age: int) -> None:
        self._redis = Redis.from_url(url, decode_responses=True)

    async def get(self, tenant_id: int, customer_id: int, read: Read) -> Summary:
        """The customer's summary; from `read` where it is not cached."""
        key = keys_of(customer_id)[0]
        if found := await self._redis.get(key):
            tenant, summary = decoded(str(found))
            return summary if tenant == tenant_id else await read()
        summary = await read()
        await self._redis.set(key, encoded(tenant_id, summary))
        return summary

    async def begin(self, customer_id: int, write: str) -> None:
        """A write changes the customer's summary."""
        await self._redis.delete(keys_of(customer_id)[0])

    async def end(self, customers: Iterable[int], write: str) -> None:
        """Nothing is left to do."""

    async def close(self) -> None:
        await self._redis.aclose()
