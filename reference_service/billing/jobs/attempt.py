"""One try at one job: it ends as done, put off, dead or given back, and the job's row says so."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from billing.domain.errors import NotFound, Refused
from billing.domain.jobs import DeadReason, Kind
from billing.domain.retries import RetryPolicy, Trouble, UpstreamFailed
from billing.jobs.work import WORK, Tools
from billing.storage import job_leases
from billing.storage.changes import Cache, changing
from billing.storage.job_leases import LeasedJob, LeaseLost

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rules:
    """How jobs are tried: `retry_base` in seconds is the unit of the policies' waits, `lease` in seconds."""

    policies: Mapping[Kind, RetryPolicy]
    retry_base: float
    lease: float


async def attempt(tools: Tools, cache: Cache, rules: Rules, job: LeasedJob) -> None:
    """Do the job, or note why not. What Postgres can't note is tried again when the lease has run out."""
    started = time.monotonic()
    try:
        async with _signs_of_life(tools, rules, job):
            outcome = await _outcome(tools, cache, rules, job)
    except asyncio.CancelledError:
        outcome = "given back"
        async with tools.pool.connection() as connection:
            await job_leases.give_back(connection, job)
        raise
    except LeaseLost:
        outcome = "lost"
    except (OperationalError, PoolTimeout):
        outcome = "left"
        log.exception("postgres does not serve")
    finally:
        seconds = time.monotonic() - started
        fields = {"job_id": str(job.id), "kind": job.kind, "attempt": job.attempts, "outcome": outcome}
        log.info("job", extra={"fields": {**fields, "duration_ms": round(seconds * 1000, 1)}})


async def _outcome(tools: Tools, cache: Cache, rules: Rules, job: LeasedJob) -> str:
    policy = rules.policies[job.kind]
    if job.attempts > policy.attempts:
        return await _bury(tools, job, "no-answer", "The last try never ended: its worker died.")
    try:
        finish = await WORK[job.kind](tools, job)
        async with (
            changing(cache) as touches,
            tools.pool.connection() as connection,
            connection.transaction(),
        ):
            await job_leases.hold(connection, job)
            await job_leases.done(connection, job, await finish(connection, touches))
        return "done"
    except UpstreamFailed as failed:
        return await _again_or_bury(tools, rules, job, failed.trouble, str(failed))
    except (NotFound, Refused) as refusal:
        return await _bury(tools, job, "refused", str(refusal))
    except (LeaseLost, OperationalError, PoolTimeout):
        raise
    except Exception as fault:
        # A bug, or data that nobody thought of: it must not stop the others, nor go round for ever.
        log.exception("a job failed in a way that nobody foresaw")
        return await _again_or_bury(tools, rules, job, "no-answer", f"unforeseen: {type(fault).__name__}")


async def _again_or_bury(tools: Tools, rules: Rules, job: LeasedJob, trouble: Trouble, detail: str) -> str:
    policy = rules.policies[job.kind]
    if not policy.another_try(job.attempts, trouble):
        return await _bury(tools, job, trouble, detail)
    drawn = random.random()  # noqa: S311 - no secret
    async with tools.pool.connection() as connection:
        await job_leases.put_off(connection, job, policy.wait(job.attempts, drawn) * rules.retry_base)
    return "put off"


async def _bury(tools: Tools, job: LeasedJob, trouble: Trouble, detail: str) -> str:
    async with tools.pool.connection() as connection:
        reason: DeadReason = "refused" if trouble == "refused" else "exhausted"
        await job_leases.bury(connection, job, reason, detail)
    return "dead"


@asynccontextmanager
async def _signs_of_life(tools: Tools, rules: Rules, job: LeasedJob) -> AsyncIterator[None]:
    """While the body runs, the lease is renewed. Whoever loses it is stopped only at the job's end, where it counts."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(rules.lease / 3)
            try:
                async with tools.pool.connection() as connection:
                    await job_leases.keep(connection, job, rules.lease)
            except (LeaseLost, OperationalError, PoolTimeout) as trouble:
                log.warning("a lease could not be renewed: %s", trouble)

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
