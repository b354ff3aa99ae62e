"""Somebody watches Postgres all the time; who asks is told what was seen last, and waits for nothing."""

import asyncio
import logging
from weakref import WeakKeyDictionary

from psycopg import Error

from billing.storage.asking import ask, try_at_hand
from billing.storage.pool import Pool

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_FOR_AN_ANSWER = 1.0

log = logging.getLogger(__name__)


class _Watch:
    """What was seen last, and who looks."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.well = True
        self.task = asyncio.create_task(self._look_on())

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            seen = await _look(self.pool)
            if seen != self.well:
                log.warning("postgres is %s", "back" if seen else "away")
            self.well = seen


_watches: "WeakKeyDictionary[Pool, _Watch]" = WeakKeyDictionary()


async def postgres_answers(pool: Pool) -> bool:
    """Whether Postgres answered when it was looked at last, which is a second and a half ago at most."""
    if pool not in _watches:
        _watches[pool] = _Watch(pool)
        _watches[pool].well = await _look(pool)
    return _watches[pool].well


async def _look(pool: Pool) -> bool:
    try:
        await ask(pool, "SELECT 1", SECONDS_FOR_AN_ANSWER)
        await try_at_hand(pool, SECONDS_FOR_AN_ANSWER)
    except (Error, TimeoutError):
        return False
    return True
