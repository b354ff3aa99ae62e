"""A question about health is answered fast, above all when the thing asked about does not answer."""

import logging

from psycopg import Error

from billing.storage.asking import ask, try_at_hand
from billing.storage.pool import Pool

SECONDS_FOR_AN_ANSWER = 1.0

log = logging.getLogger(__name__)


async def postgres_answers(pool: Pool) -> bool:
    """Whether Postgres takes a connection and answers, within SECONDS_FOR_AN_ANSWER. Load alone does not change that."""
    try:
        await ask(pool, "SELECT 1", SECONDS_FOR_AN_ANSWER)
        # Whoever is told "ready" after an outage meets no connection that has died in it.
        await try_at_hand(pool, SECONDS_FOR_AN_ANSWER)
    except TimeoutError:
        log.warning("postgres did not answer in time", extra={"fields": {"seconds": SECONDS_FOR_AN_ANSWER}})
        return False
    except Error as trouble:
        log.warning("postgres is not ready: %s", trouble)
        return False
    return True
