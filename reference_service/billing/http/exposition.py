"""GET /metrics tells what this process has counted, and how things stand at this moment (Prometheus' text format)."""

import logging

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from psycopg import Error
from starlette.responses import Response

from billing.storage.backlog import waiting
from billing.storage.pool import Pool
from billing.telemetry.metrics import Common, WebMetrics

SECONDS_FOR_AN_ANSWER = 1.0

log = logging.getLogger(__name__)


async def exposition(pool: Pool, metrics: Common) -> Response:
    """The page. What can't be known now is left out: an old number would look like a new one."""
    _see_connections(pool, metrics)
    if isinstance(metrics, WebMetrics):
        await _see_backlog(pool, metrics)
    return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _see_connections(pool: Pool, metrics: Common) -> None:
    seen = pool.get_stats()
    idle = seen.get("pool_available", 0)
    metrics.connections.labels("idle").set(idle)
    metrics.connections.labels("used").set(seen.get("pool_size", 0) - idle)
    metrics.waiting.set(seen.get("requests_waiting", 0))


async def _see_backlog(pool: Pool, metrics: WebMetrics) -> None:
    metrics.queued.clear()
    metrics.oldest.clear()
    try:
        found = await waiting(pool, SECONDS_FOR_AN_ANSWER)
    except (Error, TimeoutError) as trouble:
        log.warning("what waits could not be counted: %s", type(trouble).__name__)
        return
    for each in found:
        metrics.queued.labels(each.kind).set(each.jobs)
        metrics.oldest.labels(each.kind).set(each.oldest)
