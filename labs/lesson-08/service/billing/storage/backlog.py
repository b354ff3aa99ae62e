"""How much is left to do."""

from dataclasses import dataclass

from billing.storage.asking import ask
from billing.storage.pool import Pool


@dataclass(frozen=True)
class Waiting:
    """The jobs of one kind that are queued, for a first try or another; `oldest`: seconds since the eldest was created."""

    kind: str
    jobs: int
    oldest: float


async def waiting(pool: Pool, seconds: float) -> list[Waiting]:
    """One for each kind. Raises psycopg.Error, and TimeoutError after `seconds`."""
    query = """
        SELECT kinds.kind, count(id), coalesce(extract(epoch FROM clock_timestamp() - max(created_at)), 0)::float
        FROM unnest(ARRAY['mail', 'charge', 'report']) AS kinds (kind)
             LEFT JOIN jobs ON jobs.kind = kinds.kind AND status <> 'done'
        GROUP BY kinds.kind
    """
    return [Waiting(*row) for row in await ask(pool, query, seconds)]
