"""SQLAlchemy's engine and its sessions, under the names by which the other rooms know the pool."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, AsyncSessionTransaction, async_sessionmaker, create_async_engine

SESSION = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
    "timezone": "UTC",
}


class Connection(AsyncSession):
    """A session; `transaction` commits at the end of its block, and until then nobody else does."""

    nested = False

    def transaction(self) -> AsyncSessionTransaction:
        self.nested = True
        return self.begin()


class Pool:
    """Gives out sessions on pooled connections. Each connection is pinged before it is used."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.sessions = async_sessionmaker(engine, class_=Connection, expire_on_commit=False)

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[Connection]:
        """A session. What the driver raises comes out as the driver's own exception."""
        try:
            async with self.sessions() as session:
                yield session
        except DBAPIError as error:
            raise (error.orig or error) from error


@asynccontextmanager
async def open_pool(database_url: str) -> AsyncIterator[Pool]:
    """A pool whose first connection has answered."""
    engine = create_async_engine(
        "postgresql+psycopg://" + database_url.partition("://")[2],
        pool_size=5,
        max_overflow=5,
        pool_timeout=5,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 5,
            "application_name": "billing-web",
            "options": " ".join(f"-c {name}={value}" for name, value in SESSION.items()),
        },
    )
    pool = Pool(engine)
    try:
        async with engine.connect():
            pass
        yield pool
    finally:
        await engine.dispose()
