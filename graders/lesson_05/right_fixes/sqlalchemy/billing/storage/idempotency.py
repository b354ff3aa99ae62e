"""An idempotency key is taken in the transaction that creates, so a repeated request can never create twice."""

from dataclasses import dataclass

from sqlalchemy import literal, select
from sqlalchemy.dialects.postgresql import insert

from billing.domain.errors import KeyReused, NotFound
from billing.storage.pool import Connection
from billing.storage.tables import KeyRow, Tenant


@dataclass(frozen=True)
class Claim:
    """The right to answer one request."""

    tenant_id: int
    key: str
    fingerprint: bytes


async def take(session: Connection, claim: Claim) -> KeyRow | None:
    """None: the key is ours until the transaction ends. Otherwise the answer to give again. Raises KeyReused."""
    columns = ("tenant_id", "key", "fingerprint")
    row = select(Tenant.id, literal(claim.key), literal(claim.fingerprint)).where(Tenant.id == claim.tenant_id)
    query = insert(KeyRow).from_select(columns, row).on_conflict_do_nothing().returning(KeyRow.key)
    if await session.scalar(query) is not None:
        return None
    kept = await session.get(KeyRow, (claim.tenant_id, claim.key))
    if kept is None:
        raise NotFound("tenant")
    if kept.fingerprint != claim.fingerprint:
        raise KeyReused
    return kept


async def keep(session: Connection, claim: Claim, location: str, body: str) -> None:
    row = await session.get_one(KeyRow, (claim.tenant_id, claim.key))
    row.location, row.body = location, body
    await session.flush()
