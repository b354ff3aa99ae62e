"""Connections are few, shared, bounded in time, and known to the database by name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

Connection = AsyncConnection[Any]
Pool = AsyncConnectionPool[Connection]

MIN_CONNECTIONS = 2
MAX_CONNECTIONS = 10
SECONDS_TO_GET_A_CONNECTION = 5.0
SECONDS_TO_WAIT_FOR_POSTGRES_AT_START = 10.0

# statement_timeout is generous: it ends what has run away, it is no way to make a slow read fast.
SESSION = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
    "timezone": "UTC",
}


@asynccontextmanager
async def open_pool(database_url: str, name: str = "billing-web") -> AsyncIterator[Pool]:
    """A pool with its first connections made. Raises PoolTimeout when Postgres does not answer in time.

    Connections commit each statement by itself; what belongs together says `connection.transaction()`.
    """
    pool: Pool = AsyncConnectionPool(
        database_url,
        name="billing",
        open=False,
        min_size=MIN_CONNECTIONS,
        max_size=MAX_CONNECTIONS,
        timeout=SECONDS_TO_GET_A_CONNECTION,
        kwargs={
            "autocommit": True,
            "connect_timeout": 5,
            "application_name": name,
            "options": " ".join(f"-c {name}={value}" for name, value in SESSION.items()),
        },
    )
    async with pool:
        await pool.wait(SECONDS_TO_WAIT_FOR_POSTGRES_AT_START)
        yield pool
