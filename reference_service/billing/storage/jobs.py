"""A job is a row, committed together with what it is about. Who does it stands in `job_leases` and `outbox`."""

from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from billing.domain.errors import NotFound
from billing.domain.jobs import Job, JobNotDead, JobStatus, Kind, Order, QueueFull
from billing.storage.pages import Page, page_of
from billing.storage.pool import Connection
from billing.telemetry import correlation

FOUND: LiteralString = """
    FROM jobs WHERE tenant_id = %(tenant)s
      AND (%(status)s::text IS NULL OR status = %(status)s)
      AND (%(kind)s::text IS NULL OR kind = %(kind)s)
      AND (%(invoice)s::bigint IS NULL OR invoice_id = %(invoice)s)
"""
COLUMNS: LiteralString = """
    id, kind, status, attempts, invoice_id, payment_id, report, reason, detail, created_at, finished_at
"""


@dataclass(frozen=True)
class JobPosition:
    """Where a job stands in the list: ids grow in the order of creation."""

    id: int


@dataclass(frozen=True)
class JobFilter:
    """Which of a tenant's jobs; None does not filter."""

    tenant_id: int
    status: JobStatus | None
    kind: Kind | None
    invoice_id: int | None

    def parameters(self) -> dict[str, Any]:
        return {
            "tenant": self.tenant_id,
            "status": self.status,
            "kind": self.kind,
            "invoice": self.invoice_id,
        }


async def add(connection: Connection, order: Order, limit: int) -> Job:
    """Store the order as a job, under the ids of the request that gave it.

    Raises QueueFull where `limit` jobs are open, and NotFound without the tenant.
    """
    await _expect_room(connection, limit)
    query: LiteralString = f"""
        INSERT INTO jobs (tenant_id, kind, invoice_id, request)
        SELECT id, %s, %s, %s FROM tenants WHERE id = %s
        RETURNING {COLUMNS}
    """  # noqa: S608
    request = Jsonb({**order.request, correlation.KEPT: correlation.present().kept()})
    async with connection.cursor(row_factory=class_row(Job)) as cursor:
        await cursor.execute(query, (order.kind, order.invoice_id, request, order.tenant_id))
        job = await cursor.fetchone()
    if job is None:
        raise NotFound("tenant")
    return job


async def get(connection: Connection, tenant_id: int, job_id: int) -> Job:
    """The job. Raises NotFound when there is none, or when it is another tenant's."""
    query: LiteralString = f"SELECT {COLUMNS} FROM jobs WHERE id = %s AND tenant_id = %s"  # noqa: S608
    return await _one(connection, query, (job_id, tenant_id))


async def requeue(connection: Connection, tenant_id: int, job_id: int, limit: int) -> Job:
    """Queue a dead job again, with all its tries before it. Raises NotFound, JobNotDead, QueueFull."""
    query: LiteralString = f"SELECT {COLUMNS} FROM jobs WHERE id = %s AND tenant_id = %s FOR UPDATE"  # noqa: S608
    job = await _one(connection, query, (job_id, tenant_id))
    if job.status != "dead":
        raise JobNotDead(job.status)
    await _expect_room(connection, limit)
    query = f"""
        UPDATE jobs SET status = 'queued', attempts = 0, due_at = now(), relayed_at = NULL,
                        reason = NULL, detail = NULL, finished_at = NULL
        WHERE id = %s RETURNING {COLUMNS}
    """  # noqa: S608
    return await _one(connection, query, (job_id,))


async def page(
    connection: Connection, wanted: JobFilter, after: JobPosition | None, limit: int
) -> Page[Job, JobPosition]:
    """The tenant's jobs that match, oldest first."""
    query: LiteralString = f"SELECT {COLUMNS} {FOUND} AND id > %(after)s ORDER BY id LIMIT %(limit)s"
    parameters = {**wanted.parameters(), "after": after.id if after else 0, "limit": limit + 1}
    async with connection.cursor(row_factory=class_row(Job)) as cursor:
        await cursor.execute(query, parameters)
        rows = await cursor.fetchall()
    return page_of(rows, limit, lambda job: JobPosition(job.id))


async def count(connection: Connection, wanted: JobFilter) -> int:
    query: LiteralString = f"SELECT count(*) {FOUND}"
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(query, wanted.parameters())
        return int(await cursor.fetchone() or 0)


async def being_charged(connection: Connection, invoice_id: int) -> int:
    """Cents that open charges of the invoice are about to take. The caller holds the invoice's row."""
    query = """
        SELECT coalesce(sum((request->>'amount_cents')::bigint), 0)::bigint FROM jobs
        WHERE invoice_id = %s AND kind = 'charge' AND status IN ('queued', 'running')
    """
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(query, (invoice_id,))
        return int(await cursor.fetchone() or 0)


async def _expect_room(connection: Connection, limit: int) -> None:
    """Counts no further than it must. Twins that arrive at once may both get the last place."""
    query = """
        SELECT count(*) FROM (SELECT FROM jobs WHERE status IN ('queued', 'running') LIMIT %s) AS open
    """
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(query, (limit,))
        if int(await cursor.fetchone() or 0) >= limit:
            raise QueueFull


async def _one(connection: Connection, query: LiteralString, parameters: tuple[int, ...]) -> Job:
    async with connection.cursor(row_factory=class_row(Job)) as cursor:
        await cursor.execute(query, parameters)
        job = await cursor.fetchone()
    if job is None:
        raise NotFound("job")
    return job
