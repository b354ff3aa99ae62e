"""What is created is answered with 201 and where it is; under an idempotency key, repeating creates nothing more."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from billing.http.parameters import Database
from billing.http.tenancy import Tenant
from billing.storage import idempotency
from billing.storage.idempotency import Claim
from billing.storage.pool import Connection, Pool

HEADER = "Idempotency-Key"
KEY = r"^[!-~]([ -~]*[!-~])?$"
DESCRIPTION = (
    "1 to 128 printable ASCII characters, new for each new request. A request that is repeated with its key is "
    "answered as it was the first time and creates nothing more."
)


@dataclass(frozen=True)
class Created:
    """Something new: what to say of it, and the path at which it is found."""

    answer: BaseModel
    location: str


Create = Callable[[Connection], Awaitable[Created]]


@dataclass(frozen=True)
class Creation:
    """One creating request, done whole or not at all."""

    pool: Pool
    claim: Claim | None

    async def once(self, create: Create) -> Response:
        """Run `create` in a transaction, unless the key has an answer already. What it raises takes all of it back."""
        async with self.pool.connection() as connection, connection.transaction():
            kept = await idempotency.take(connection, self.claim) if self.claim else None
            if kept:
                return _response(kept.location, kept.body)
            created = await create(connection)
            body = created.answer.model_dump_json()
            if self.claim:
                await idempotency.keep(connection, self.claim, created.location, body)
        return _response(created.location, body)


async def creation_of(
    request: Request,
    pool: Database,
    tenant: Tenant,
    idempotency_key: Annotated[
        str | None,
        Header(alias=HEADER, description=DESCRIPTION, min_length=1, max_length=128, pattern=KEY),
    ] = None,
) -> Creation:
    """The request as something to do once."""
    keys = request.headers.getlist(HEADER)
    if not keys:
        return Creation(pool, None)
    if len(keys) > 1:
        fault = {"loc": ("header", HEADER), "type": "twice", "msg": "Send one key."}
        raise RequestValidationError([fault])
    content = f"{request.method} {request.url.path}\n".encode() + await request.body()
    return Creation(pool, Claim(tenant, keys[0], sha256(content).digest()))


Once = Annotated[Creation, Depends(creation_of)]


def _response(location: str, body: str) -> Response:
    return Response(body, 201, {"Location": location}, "application/json")
