"""A worker at work: it relays what was committed, takes what is queued, and stops as it was asked to."""

import asyncio
import logging
import secrets
import signal
from contextlib import AsyncExitStack

from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from redis.asyncio import Redis
from redis.exceptions import RedisError

from billing.domain.jobs import Kind
from billing.jobs.attempt import Rules, attempt
from billing.jobs.consumer import Consumer, stream_of
from billing.jobs.policies import BadQueues, read_policies
from billing.jobs.work import Tools
from billing.operations.logs import begin_request, note
from billing.storage import job_leases, outbox
from billing.storage.pool import Pool, open_pool
from billing.storage.summary_cache import SummaryCache
from billing.telemetry import correlation
from billing.telemetry.metrics import WorkerMetrics
from billing.upstream.calls import Upstream
from billing.worker_config import WorkerConfig

__all__ = ["BadQueues", "PoolTimeout", "work"]

log = logging.getLogger(__name__)

SECONDS_BETWEEN_RELAYS = 0.1
SECONDS_FOR_AN_ANSWER = 3.0


def work(config: WorkerConfig) -> None:
    """Until SIGTERM or SIGINT. Raises BadQueues, and PoolTimeout where Postgres does not answer at the start."""
    asyncio.run(_work(config))


async def _work(config: WorkerConfig) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    rules = Rules(read_policies(), config.retry_base_ms / 1000, config.lease_seconds)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(config.database_url, "billing-worker"))
        redis: Redis = Redis.from_url(
            config.queue_url, decode_responses=True, socket_timeout=SECONDS_FOR_AN_ANSWER
        )
        stack.push_async_callback(redis.aclose)
        cache = SummaryCache(config.cache_url, config.summary_max_age_seconds)
        stack.push_async_callback(cache.close)
        seconds = config.upstream_timeout_ms / 1000
        metrics = WorkerMetrics(config.version)
        tools = Tools(
            pool,
            Upstream("mail", config.mail_url, seconds, metrics),
            Upstream("payments", config.payment_provider_url, seconds, metrics),
        )
        stack.push_async_callback(tools.mail.close)
        stack.push_async_callback(tools.payments.close)
        if config.address:
            # Not at the top: a worker that tells nobody of itself needs no HTTP.
            from billing.http.beside import served_beside

            await stack.enter_async_context(served_beside(pool, metrics, *config.address))
        consumers = [_consumer(kind, redis, tools, cache, rules) for kind in rules.policies]
        relaying = asyncio.create_task(_relay(pool, redis, config.lease_seconds))
        running = [asyncio.create_task(each.run(stop)) for each in consumers]
        log.info("working")
        await stop.wait()
        log.info("draining")
        relaying.cancel()
        await asyncio.gather(*running)
        await asyncio.gather(*(each.finish(config.shutdown_grace_seconds) for each in consumers))
    log.info("stopped")


def _consumer(kind: Kind, redis: Redis, tools: Tools, cache: SummaryCache, rules: Rules) -> Consumer:
    async def handle(job_id: int) -> bool:
        async with tools.pool.connection() as connection:
            job = await job_leases.begin(connection, job_id, rules.lease)
            if job is None:
                return await job_leases.is_over(connection, job_id)
        begin_request(correlation.restored(job.request.get(correlation.KEPT)))
        note(tenant_id=str(job.tenant_id))
        await attempt(tools, cache, rules, job)
        async with tools.pool.connection() as connection:
            return await job_leases.is_over(connection, job_id)

    return Consumer(redis, kind, secrets.token_hex(8), rules.lease, handle)


async def _relay(pool: Pool, redis: Redis, lease: float) -> None:
    async def deliver(kind: str, job_id: int) -> None:
        await redis.xadd(stream_of(kind), {"job": str(job_id)})

    while True:
        try:
            async with pool.connection() as connection:
                relayed = await outbox.relay(connection, lease, deliver)
            await asyncio.sleep(0 if relayed == outbox.AT_ONCE else SECONDS_BETWEEN_RELAYS)
        except (RedisError, OSError, OperationalError, PoolTimeout) as trouble:
            log.warning("jobs could not be relayed: %s", trouble)
            await asyncio.sleep(SECONDS_BETWEEN_RELAYS)
