"""GET /metrics, written by hand."""

from psycopg import Error
from starlette.responses import Response

from billing.storage.backlog import waiting
from billing.storage.pool import Pool
from billing.telemetry.metrics import Common, WebMetrics


async def exposition(pool: Pool, metrics: Common) -> Response:
    seen = pool.get_stats()
    metrics.connections.put(seen["pool_available"], state="idle")
    metrics.connections.put(seen["pool_size"] - seen["pool_available"], state="used")
    if isinstance(metrics, WebMetrics):
        try:
            for each in await waiting(pool, 1.0):
                metrics.queued.put(each.jobs, kind=each.kind)
                metrics.oldest.put(each.oldest, kind=each.kind)
        except (Error, TimeoutError):
            pass  # as it was
    return Response(metrics.text(), media_type="text/plain; version=0.0.4")
