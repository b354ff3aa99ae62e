"""Requests are counted by prometheus-fastapi-instrumentator; which names and labels they get is ours to say."""

from fastapi import FastAPI
from prometheus_client import REGISTRY, generate_latest
from prometheus_fastapi_instrumentator import Instrumentator
from prometheus_fastapi_instrumentator.metrics import Info
from starlette.responses import Response

from billing.http.exposition import exposition
from billing.storage.pool import Pool
from billing.telemetry.metrics import WebMetrics


def measure(api: FastAPI, pool: Pool, version: str) -> None:
    """From here on the API counts what it does, and tells it."""
    metrics = WebMetrics(version)
    # The instrumentator has a gauge of its own for it, in the registry that all share.
    metrics.registry.unregister(metrics.in_flight)

    def count(info: Info) -> None:
        route = None if info.modified_handler == "none" else info.modified_handler
        status = info.response.status_code if info.response is not None else 500
        metrics.answered(info.method, route, status, info.modified_duration)

    instrumentator = Instrumentator(
        should_group_status_codes=False,
        should_group_untemplated=True,
        excluded_handlers=["^/livez$", "^/readyz$", "^/metrics$"],
        should_instrument_requests_inprogress=True,
        inprogress_name="http_requests_in_flight",
        registry=metrics.registry,
    )
    instrumentator.add(count).instrument(api)

    @api.get("/metrics", include_in_schema=False)
    async def scraped() -> Response:
        page = await exposition(pool, metrics)
        flying = generate_latest(REGISTRY.restricted_registry(["http_requests_in_flight"]))
        return Response(bytes(page.body) + flying, media_type=page.media_type)
