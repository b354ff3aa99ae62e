"""One try at one job."""

import logging
import time
from collections.abc import Mapping
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

MOST_TRIES = 10
SECONDS_BETWEEN_TRIES = 0.05


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
        outcome = await _outcome(tools, cache, rules, job)
    except LeaseLost:
        outcome = "lost"
    except (OperationalError, PoolTimeout):
        outcome = "left"
        log.exception("postgres does not serve")
    finally:
        seconds = time.monotonic() - started
        fields = {"job_id": job.id, "kind": job.kind, "attempt": job.attempts, "outcome": outcome}
        log.info("job", extra={"fields": {**fields, "duration_ms": round(seconds * 1000, 1)}})


async def _outcome(tools: Tools, cache: Cache, rules: Rules, job: LeasedJob) -> str:
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
        return await _again_or_bury(tools, rules, job, "no-answer", str(refusal))
    except (LeaseLost, OperationalError, PoolTimeout):
        raise
    except Exception as fault:
        # A bug, or data that nobody thought of: it must not stop the others, nor go round for ever.
        log.exception("a job failed in a way that nobody foresaw")
        return await _again_or_bury(tools, rules, job, "no-answer", f"unforeseen: {type(fault).__name__}")


async def _again_or_bury(tools: Tools, rules: Rules, job: LeasedJob, trouble: Trouble, detail: str) -> str:
    if job.attempts >= MOST_TRIES:
        return await _bury(tools, job, trouble, detail)
    async with tools.pool.connection() as connection:
        await job_leases.put_off(connection, job, SECONDS_BETWEEN_TRIES)
    return "put off"


async def _bury(tools: Tools, job: LeasedJob, trouble: Trouble, detail: str) -> str:
    async with tools.pool.connection() as connection:
        reason: DeadReason = "refused" if trouble == "refused" else "exhausted"
        await job_leases.bury(connection, job, reason, detail)
    return "dead"
