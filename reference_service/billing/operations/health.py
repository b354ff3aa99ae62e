"""A question about health is answered fast, above all when the thing asked about does not answer."""

import asyncio
import logging

from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from billing.storage.pool import Pool

SECONDS_FOR_AN_ANSWER = 1.0

log = logging.getLogger(__name__)


async def postgres_answers(pool: Pool) -> bool:
    """Whether a connection can be had and answers, within SECONDS_FOR_AN_ANSWER."""
    question = asyncio.create_task(_ask(pool))
    # Not asyncio.timeout: it waits until the driver has cancelled, and a frozen server takes no cancellation.
    answered, _ = await asyncio.wait({question}, timeout=SECONDS_FOR_AN_ANSWER)
    if not answered:
        question.cancel()
        log.warning("postgres did not answer in time", extra={"fields": {"seconds": SECONDS_FOR_AN_ANSWER}})
        return False
    return question.result()


async def _ask(pool: Pool) -> bool:
    try:
        async with pool.connection(timeout=SECONDS_FOR_AN_ANSWER) as connection:
            await connection.execute("SELECT 1")
    except (OperationalError, PoolTimeout) as trouble:
        log.warning("postgres is not ready: %s", trouble)
        return False
    return True
