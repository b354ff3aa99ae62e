"""A cached summary is never older than the last write that was answered, also when reading and writing race.

Three keys for each customer, none of which stays: the summary itself; `filling`, the right of one reader to put it there;
`changing`, the writes that are under way. A write takes away summary and right before it commits, and again afterwards. So
who has read before the commit finds that it may no longer put what it read. See decision 0018.

The cache may be down: then nothing is cached, and what could not be taken away is remembered until it could.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from uuid import uuid4

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from billing.domain.summaries import Summary
from billing.storage.cached_summaries import PUT, TAKE_AWAY, decoded, encoded, keys_of

log = logging.getLogger(__name__)

SECONDS_FOR_AN_ANSWER = 1.0
SECONDS_WITHOUT = 0.5  # after a failure nobody waits for the cache for so long
SECONDS_TO_FILL = 5
SECONDS_OF_A_WRITE = 60  # longer than any: the statements of one are bounded
SECONDS_BETWEEN_LOOKS = 0.02

Read = Callable[[], Awaitable[Summary]]


class SummaryCache:
    """The summaries in one Redis, kept for at most `max_age` seconds: for what others write behind our back."""

    def __init__(self, url: str, max_age: int) -> None:
        self._redis = Redis.from_url(
            url,
            socket_timeout=SECONDS_FOR_AN_ANSWER,
            socket_connect_timeout=SECONDS_FOR_AN_ANSWER,
            decode_responses=True,
            retry=Retry(NoBackoff(), 0),
        )
        self._max_age = max_age
        self._put = self._redis.register_script(PUT)
        self._take_away = self._redis.register_script(TAKE_AWAY)
        self._owed: set[tuple[int, str, str]] = set()  # customer, write, step
        self._down_until = 0.0
        self._paying: asyncio.Task[None] | None = None

    async def get(self, tenant_id: int, customer_id: int, read: Read) -> Summary:
        """The customer's summary; from `read` where it is not cached. Of many at once, one reads for all."""
        deadline = time.monotonic() + SECONDS_TO_FILL
        while self._usable() and time.monotonic() < deadline:
            try:
                value, filling, changing = keys_of(customer_id)
                async with self._redis.pipeline(transaction=False) as asked:
                    asked.get(value)
                    asked.exists(changing)
                    found, busy = await asked.execute()
                if found:
                    tenant, summary = decoded(str(found))
                    # Ids are no secret: what is cached for one tenant is nothing to another, who asks the database.
                    return summary if tenant == tenant_id else await read()
                if busy:
                    return await read()
                right = uuid4().hex
                if await self._redis.set(filling, right, nx=True, ex=SECONDS_TO_FILL):
                    return await self._filled(tenant_id, customer_id, right, read)
            except (RedisError, OSError) as trouble:
                self._failed(trouble)
                break
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        return await read()

    async def _filled(self, tenant_id: int, customer_id: int, right: str, read: Read) -> Summary:
        try:
            summary = await read()
        except BaseException:
            await self._quietly(self._redis.delete(keys_of(customer_id)[1]))
            raise
        # Not all at once: what was cached together is not to be read together again.
        age = int(self._max_age * 1000 * random.uniform(0.8, 1))  # noqa: S311 - no secret
        await self._quietly(self._put(keys_of(customer_id), [right, encoded(tenant_id, summary), age]))
        return summary

    async def begin(self, customer_id: int, write: str) -> None:
        """Before a write commits: from here on nobody puts what was read before it."""
        await self._take([customer_id], write, "begin")

    async def end(self, customers: Iterable[int], write: str) -> None:
        """After the write, however it ended."""
        await self._take(customers, write, "end")

    async def close(self) -> None:
        if self._paying:
            self._paying.cancel()
        await self._quietly(self._redis.aclose())

    async def _take(self, customers: Iterable[int], write: str, step: str) -> None:
        wanted = list(customers)
        if not wanted:
            return
        if not self._down():
            try:
                keys = [key for customer in wanted for key in keys_of(customer)]
                await self._take_away(keys, [write, step, SECONDS_OF_A_WRITE])
                return
            except (RedisError, OSError) as trouble:
                self._failed(trouble)
        self._owed.update((customer, write, step) for customer in wanted)
        if self._paying is None or self._paying.done():
            self._paying = asyncio.create_task(self._pay())

    async def _pay(self) -> None:
        """Take away what could not be taken away while the cache was down; until then this process does without."""
        while owed := list(self._owed):
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            try:
                customers = {customer for customer, _, _ in owed}
                await self._take_away([key for each in customers for key in keys_of(each)], ["", "end", 0])
                self._owed.difference_update(owed)
            except (RedisError, OSError):
                await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    def _usable(self) -> bool:
        return not self._owed and not self._down()

    def _down(self) -> bool:
        return time.monotonic() < self._down_until

    def _failed(self, trouble: Exception) -> None:
        self._down_until = time.monotonic() + SECONDS_WITHOUT
        log.warning("the cache does not answer: %s", trouble)

    async def _quietly(self, asked: Awaitable[object]) -> None:
        try:
            await asked
        except (RedisError, OSError) as trouble:
            self._failed(trouble)
