"""OpenTelemetry's instruments, told in Prometheus' text format by its exporter, with the labels that it adds."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Literal

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
Outcome = Literal["success", "refused", "failed", "no-answer"]


class Seen:
    """What was seen last of something that is looked at from outside."""

    def __init__(self) -> None:
        self.values: dict[tuple[tuple[str, str], ...], float] = {}

    def __call__(self, options: CallbackOptions) -> Iterator[Observation]:
        for labels, value in self.values.items():
            yield Observation(value, dict(labels))

    def put(self, value: float, **labels: str) -> None:
        self.values[tuple(labels.items())] = value


class Common:
    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        reader = PrometheusMetricReader(registry=self.registry)
        self.meter = MeterProvider([reader]).get_meter("billing", version)
        self.connections, info = Seen(), Seen()
        info.put(1, version=version)
        self.meter.create_observable_gauge("service_info", [info])
        self.meter.create_observable_gauge("db_pool_connections", [self.connections])


class WebMetrics(Common):
    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.requests = self.meter.create_counter("http_requests")
        self.duration = self.meter.create_histogram("http_request_duration", unit="s")
        self.in_flight = InFlight(self.meter.create_up_down_counter("http_requests_in_flight"))
        self.queued, self.oldest = Seen(), Seen()
        self.meter.create_observable_gauge("jobs_queued", [self.queued])
        self.meter.create_observable_gauge("jobs_oldest_queued", [self.oldest], unit="s")

    def answered(self, method: str, route: str | None, status: int, seconds: float) -> None:
        labels = {"method": method if method in METHODS else "other", "route": route or "unmatched"}
        self.requests.add(1, {**labels, "status": str(status)})
        self.duration.record(seconds, labels)


class InFlight:
    def __init__(self, counter: object) -> None:
        self.counter = counter
        self.counter.add(0)

    def inc(self) -> None:
        self.counter.add(1)

    def dec(self) -> None:
        self.counter.add(-1)


@dataclass
class Call:
    outcome: Outcome = "no-answer"
    status: int | None = None
    seconds: float = 0.0


class WorkerMetrics(Common):
    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.calls = self.meter.create_counter("upstream_requests")
        self.duration = self.meter.create_histogram("upstream_request_duration", unit="s")

    @contextmanager
    def call(self, upstream: str) -> Iterator[Call]:
        call, started = Call(), perf_counter()
        try:
            yield call
        finally:
            call.seconds = perf_counter() - started
            self.calls.add(1, {"upstream": upstream, "outcome": call.outcome})
            self.duration.record(call.seconds, {"upstream": upstream})
