"""Whether Postgres is there."""

import logging

from psycopg import Error

from billing.storage.pool import Pool

log = logging.getLogger(__name__)


async def postgres_answers(pool: Pool) -> bool:
    """Whether a connection of the pool answers."""
    try:
        async with pool.connection() as connection:
            await connection.execute("SELECT 1")
    except Error as trouble:
        log.warning("postgres is not ready: %s", trouble)
        return False
    return True
