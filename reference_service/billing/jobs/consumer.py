"""Takes one kind of job from its stream, some at a time; what a dead worker had in hand is taken over.

A stream for each kind: an upstream that hangs fills its own places and delays nobody else's jobs (bulkheads).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from billing.domain.jobs import Kind

log = logging.getLogger(__name__)

GROUP = "billing"
AT_ONCE = 8
MS_TO_WAIT = 500
SECONDS_WITHOUT = 0.2

# True: the entry is over with, and is taken out of the stream. False: it stays, and comes again.
Handle = Callable[[int], Awaitable[bool]]


def stream_of(kind: Kind | str) -> str:
    return f"billing:jobs:{kind}"


class Consumer:
    """One worker's hands for one kind of job. `lease` in seconds."""

    def __init__(self, redis: Redis, kind: Kind, name: str, lease: float, handle: Handle) -> None:
        self._redis = redis
        self._stream = stream_of(kind)
        self._name = name
        self._lease_ms = int(lease * 1000)
        self._handle = handle
        self._in_hand: dict[str, asyncio.Task[None]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Take and do jobs until `stop`; what is in hand then is for `finish`."""
        while not stop.is_set():
            try:
                await self._make_group()
                while not stop.is_set():
                    await self._take_some()
            except (RedisError, OSError) as trouble:
                log.warning("the queue does not answer: %s", trouble)
                await asyncio.sleep(SECONDS_WITHOUT)

    async def finish(self, seconds: float) -> None:
        """Wait for what is in hand; what takes longer than `seconds` is given back."""
        tasks = list(self._in_hand.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _make_group(self) -> None:
        try:
            await self._redis.xgroup_create(self._stream, GROUP, "0", mkstream=True)
        except ResponseError as refusal:
            if "BUSYGROUP" not in str(refusal):
                raise

    async def _take_some(self) -> None:
        free = AT_ONCE - len(self._in_hand)
        if free == 0:
            await asyncio.wait(self._in_hand.values(), return_when=asyncio.FIRST_COMPLETED)
            return
        await self._show_life()
        _, left_behind, *_ = await self._redis.xautoclaim(
            self._stream, GROUP, self._name, self._lease_ms, count=free
        )
        found = left_behind or await self._new(free)
        for entry, fields in found:
            if entry not in self._in_hand:
                task = asyncio.create_task(self._one(entry, fields or {}))
                self._in_hand[entry] = task
                task.add_done_callback(partial(self._let_go, entry))

    def _let_go(self, entry: str, task: "asyncio.Task[None]") -> None:
        self._in_hand.pop(entry, None)

    async def _new(self, free: int) -> list[tuple[str, dict[str, str]]]:
        # With something in hand it looks up again soon: to say that it lives, and for places that become free.
        wait = MS_TO_WAIT if not self._in_hand else min(MS_TO_WAIT, self._lease_ms // 4)
        got: Any = await self._redis.xreadgroup(
            GROUP, self._name, {self._stream: ">"}, count=free, block=max(wait, 1)
        )
        return got[0][1] if got else []

    async def _show_life(self) -> None:
        """What is in hand has not been left behind: claiming it ourselves sets its idle time back."""
        if self._in_hand:
            await self._redis.xclaim(self._stream, GROUP, self._name, 0, list(self._in_hand), justid=True)

    async def _one(self, entry: str, fields: dict[str, str]) -> None:
        try:
            number = fields.get("job", "")
            # What is no job of ours helps nobody by coming again.
            over = await self._handle(int(number)) if number.isascii() and number.isdigit() else True
            if over:
                async with self._redis.pipeline() as pipeline:
                    pipeline.xack(self._stream, GROUP, entry)
                    pipeline.xdel(self._stream, entry)
                    await pipeline.execute()
        except (RedisError, OSError) as trouble:
            log.warning("the queue could not be told: %s", trouble)
        except Exception:
            log.exception("an entry could not be handled; it comes again")
