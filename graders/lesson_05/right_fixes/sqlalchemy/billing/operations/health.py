"""A question about health is answered fast, above all when the thing asked about does not answer."""

import asyncio
import logging

from psycopg import OperationalError
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError

from billing.storage.pool import Pool

SECONDS_FOR_AN_ANSWER = 1.0

log = logging.getLogger(__name__)


async def postgres_answers(pool: Pool) -> bool:
    """Whether a connection can be had and answers, within SECONDS_FOR_AN_ANSWER."""
    question = asyncio.create_task(_ask(pool))
    answered, _ = await asyncio.wait({question}, timeout=SECONDS_FOR_AN_ANSWER)
    if not answered:
        question.cancel()
        log.warning("postgres did not answer in time")
        return False
    return question.result()


async def _ask(pool: Pool) -> bool:
    try:
        async with pool.connection() as session:
            await session.execute(text("SELECT 1"))
    except (OperationalError, TimeoutError) as trouble:
        log.warning("postgres is not ready: %s", trouble)
        return False
    return True
