"""An idempotency key is taken in the transaction that creates, so a repeated request can never create twice."""

from dataclasses import dataclass

from psycopg.rows import class_row

from billing.domain.errors import KeyReused, NotFound
from billing.storage.pool import Connection

# Kept for a day at least, as promised. Old rows are swept with the jobs of lesson 07.


@dataclass(frozen=True)
class Claim:
    """The right to answer one request. `fingerprint` tells it from another one that came with the same key."""

    tenant_id: int
    key: str
    fingerprint: bytes


@dataclass(frozen=True)
class KeptAnswer:
    """What the first request was answered: the Location of what it created, and the body."""

    fingerprint: bytes
    location: str
    body: str


async def take(connection: Connection, claim: Claim) -> KeptAnswer | None:
    """None: the key is ours until the transaction ends. Otherwise the answer to give again. Raises KeyReused.

    Twins that arrive at once: the second waits here until the first commits (then there is an answer) or fails (then
    the key is free). Postgres makes it wait, whichever process it is in.
    """
    query = """
        INSERT INTO idempotency_keys (tenant_id, key, fingerprint)
        SELECT id, %s, %s FROM tenants WHERE id = %s
        ON CONFLICT DO NOTHING
    """
    taken = await connection.execute(query, (claim.key, claim.fingerprint, claim.tenant_id))
    if taken.rowcount:
        return None
    kept = await _kept(connection, claim)
    if kept is None:
        raise NotFound("tenant")
    if kept.fingerprint != claim.fingerprint:
        raise KeyReused
    return kept


async def keep(connection: Connection, claim: Claim, location: str, body: str) -> None:
    """Note the answer, for whoever asks again."""
    query = "UPDATE idempotency_keys SET location = %s, body = %s WHERE tenant_id = %s AND key = %s"
    await connection.execute(query, (location, body, claim.tenant_id, claim.key))


async def _kept(connection: Connection, claim: Claim) -> KeptAnswer | None:
    query = "SELECT fingerprint, location, body FROM idempotency_keys WHERE tenant_id = %s AND key = %s"
    async with connection.cursor(row_factory=class_row(KeptAnswer)) as cursor:
        await cursor.execute(query, (claim.tenant_id, claim.key))
        return await cursor.fetchone()
