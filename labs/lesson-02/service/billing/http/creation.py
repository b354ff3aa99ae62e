"""Creating things. A key that was seen before gets the answer of the first time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header

from billing.http.parameters import Database
from billing.http.tenancy import Tenant
from billing.storage.pool import Connection, Pool

Create = Callable[[Connection], Awaitable[Any]]

# The shop retries within seconds, so this need not last.
seen: dict[str, Any] = {}


@dataclass(frozen=True)
class Creation:
    pool: Pool
    key: str | None

    async def once(self, create: Create) -> Any:
        if self.key and self.key in seen:
            return seen[self.key]
        async with self.pool.connection() as connection, connection.transaction():
            answer = await create(connection)
        if self.key:
            seen[self.key] = answer
        return answer


async def creation_of(
    pool: Database,
    tenant: Tenant,
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
) -> Creation:
    return Creation(pool, idempotency_key)


Once = Annotated[Creation, Depends(creation_of)]
