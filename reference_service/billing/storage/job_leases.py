"""One worker at a time has a job in hand. Whoever gives no sign of life loses it; what it does then counts no more."""

from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from billing.domain.jobs import DeadReason, Kind
from billing.storage.pool import Connection


class LeaseLost(Exception):
    """The job is somebody else's by now, or has ended."""


@dataclass(frozen=True)
class LeasedJob:
    """A job in hand. `key` is what upstreams know it by, in every try; `attempts` counts this one, too."""

    id: int
    tenant_id: int
    kind: Kind
    invoice_id: int | None
    request: dict[str, Any]
    key: UUID
    attempts: int
    lease: UUID


@dataclass(frozen=True)
class Finding:
    """What a job that is done has brought about."""

    payment_id: int | None = None
    report: dict[str, Any] | None = None


async def begin(connection: Connection, job_id: int, seconds: float) -> LeasedJob | None:
    """Take the job in hand. None where it is not to be had: it has ended, is not due, or somebody has it in hand."""
    query = """
        UPDATE jobs SET status = 'running', attempts = attempts + 1, lease = %(lease)s,
                        leased_until = now() + %(seconds)s * interval '1 second'
        WHERE id = %(id)s
          AND (status = 'queued' AND due_at <= now() OR status = 'running' AND leased_until < now())
        RETURNING id, tenant_id, kind, invoice_id, request, key, attempts, lease
    """
    async with connection.cursor(row_factory=class_row(LeasedJob)) as cursor:
        await cursor.execute(query, {"id": job_id, "lease": uuid4(), "seconds": seconds})
        return await cursor.fetchone()


async def is_over(connection: Connection, job_id: int) -> bool:
    """Whether nothing is left to do now: it has ended, or waits for its next try, which is delivered anew."""
    query = """
        SELECT FROM jobs WHERE id = %s
          AND (status = 'running' OR status = 'queued' AND due_at <= now())
    """
    found = await connection.execute(query, (job_id,))
    return found.rowcount == 0


async def keep(connection: Connection, job: LeasedJob, seconds: float) -> None:
    """A sign of life. Raises LeaseLost."""
    query = "UPDATE jobs SET leased_until = now() + %s * interval '1 second' WHERE id = %s AND lease = %s"
    await _ours(connection, query, (seconds, job.id, job.lease))


async def hold(connection: Connection, job: LeasedJob) -> None:
    """Keep everybody from the job until the transaction ends. Raises LeaseLost."""
    query = "SELECT FROM jobs WHERE id = %s AND lease = %s FOR UPDATE"
    await _ours(connection, query, (job.id, job.lease))


async def done(connection: Connection, job: LeasedJob, finding: Finding) -> None:
    query = """
        UPDATE jobs SET status = 'done', lease = NULL, finished_at = now(), payment_id = %s, report = %s
        WHERE id = %s AND lease = %s
    """
    report = None if finding.report is None else Jsonb(finding.report)
    await _ours(connection, query, (finding.payment_id, report, job.id, job.lease))


async def bury(connection: Connection, job: LeasedJob, reason: DeadReason, detail: str) -> None:
    query = """
        UPDATE jobs SET status = 'dead', lease = NULL, finished_at = now(), reason = %s, detail = %s
        WHERE id = %s AND lease = %s
    """
    await _ours(connection, query, (reason, detail, job.id, job.lease))


async def put_off(connection: Connection, job: LeasedJob, seconds: float) -> None:
    """Another try, not before `seconds` from now."""
    query = """
        UPDATE jobs SET status = 'queued', lease = NULL, relayed_at = NULL,
                        due_at = now() + %s * interval '1 second'
        WHERE id = %s AND lease = %s
    """
    await _ours(connection, query, (seconds, job.id, job.lease))


async def give_back(connection: Connection, job: LeasedJob) -> None:
    """Whoever comes next may have it at once; a try that was broken off for our sake is none."""
    query = """
        UPDATE jobs SET status = 'queued', lease = NULL, relayed_at = NULL, due_at = now(),
                        attempts = attempts - 1
        WHERE id = %s AND lease = %s
    """
    await _ours(connection, query, (job.id, job.lease))


async def _ours(connection: AsyncConnection[Any], query: LiteralString, parameters: tuple[Any, ...]) -> None:
    done = await connection.execute(query, parameters)
    if done.rowcount == 0:
        raise LeaseLost
