"""A question about Postgres itself is asked on a connection of its own: a pool that is all in use is no outage."""

import asyncio
from typing import Any, LiteralString

from psycopg import AsyncConnection, Error, OperationalError
from psycopg_pool import PoolTimeout

from billing.storage.pool import Pool

Rows = list[tuple[Any, ...]]


async def ask(pool: Pool, query: LiteralString, seconds: float) -> Rows:
    """The rows. Raises psycopg.Error, and TimeoutError when they are not there within `seconds`."""
    question = asyncio.create_task(_asked(pool, query))
    # Not asyncio.timeout: it waits until the driver has cancelled, and a frozen server takes no cancellation.
    answered, _ = await asyncio.wait({question}, timeout=seconds)
    if not answered:
        question.add_done_callback(_forgotten)
        question.cancel()
        raise TimeoutError
    return question.result()


async def try_at_hand(pool: Pool, seconds: float) -> None:
    """Ask on one of the connections that nobody uses, if there is one; where it is broken, all of them are replaced.

    Raises TimeoutError when all of that together takes longer than `seconds`.
    """
    if not pool.get_stats().get("pool_available"):
        return
    ends = asyncio.get_running_loop().time() + seconds
    question = asyncio.create_task(_one_answers(pool, seconds))
    answered, _ = await asyncio.wait({question}, timeout=seconds)
    if not answered:
        question.cancel()
        raise TimeoutError
    if not question.result():
        await _replace_broken(pool, ends - asyncio.get_running_loop().time())


async def _one_answers(pool: Pool, seconds: float) -> bool:
    try:
        # Half of it: that all are in use must be known before whoever waits for this gives up.
        async with pool.connection(timeout=seconds / 2) as connection:
            await connection.execute("SELECT 1")
    except PoolTimeout:
        return True  # somebody was faster: all are in use, which is no fault of theirs
    except OperationalError:
        return False
    return True


async def _replace_broken(pool: Pool, seconds: float) -> None:
    checking = asyncio.create_task(pool.check())
    # It is not cancelled: what it has in hand then would be lost to the pool.
    checked, _ = await asyncio.wait({checking}, timeout=seconds)
    if not checked:
        raise TimeoutError


async def _asked(pool: Pool, query: LiteralString) -> Rows:
    # Ours are both given as values; a pool would take functions, too.
    assert isinstance(pool.conninfo, str)
    assert isinstance(pool.kwargs, dict)
    async with await AsyncConnection.connect(pool.conninfo, **pool.kwargs) as connection:
        return await (await connection.execute(query)).fetchall()


def _forgotten(question: "asyncio.Task[Rows]") -> None:
    """Nobody waits for it any more; what became of it is no news."""
    if not question.cancelled() and not isinstance(question.exception(), Error | None):
        raise AssertionError from question.exception()
