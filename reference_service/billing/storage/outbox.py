"""What was committed reaches the queue: once as a rule, twice after a crash, never not at all."""

from collections.abc import Awaitable, Callable

from billing.storage.pool import Connection

AT_ONCE = 100


async def relay(connection: Connection, lease: float, deliver: Callable[[str, int], Awaitable[None]]) -> int:
    """Hand over what is due by kind and id, and note it; the number of jobs. Workers that relay at once share the work.

    A crash between the two hands over again, which does no harm: a job is taken in hand once. Where the queue has
    lost what it was handed, it gets it again after ten leases; where a worker died and the queue forgot, after two.
    """
    query = """
        SELECT id, kind FROM jobs
        WHERE status IN ('queued', 'running') AND due_at <= now()
          AND (status = 'queued' AND (relayed_at IS NULL OR relayed_at < now() - 10 * %(lease)s::interval)
               OR status = 'running' AND leased_until < now() - %(lease)s::interval
                  AND relayed_at < now() - 2 * %(lease)s::interval)
        ORDER BY due_at LIMIT %(most)s
        FOR UPDATE SKIP LOCKED
    """
    async with connection.transaction():
        parameters = {"lease": f"{lease} seconds", "most": AT_ONCE}
        found = await connection.execute(query, parameters)
        due = await found.fetchall()
        for job_id, kind in due:
            await deliver(kind, job_id)
        ids = [job_id for job_id, _ in due]
        await connection.execute("UPDATE jobs SET relayed_at = now() WHERE id = ANY(%s)", (ids,))
    return len(due)
