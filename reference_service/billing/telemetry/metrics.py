"""What the service counts and measures of itself. Labels have few values, whatever is thrown at it.

Names, types and labels are promised in CONTRACT.md, Metrics. What is only read when somebody looks (connections, jobs that
wait) is set by `http/exposition.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
UPSTREAMS = ("mail", "payments")
# refused: a lasting no. failed: a status that is worth another try. no-answer: nothing whole came in time.
Outcome = Literal["success", "refused", "failed", "no-answer"]

disable_created_metrics()  # type: ignore[no-untyped-call]


class Common:
    """What each process tells: which version it is, and what its pool of connections does."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        info = Gauge("service_info", "1, for the version that runs", ["version"], registry=self.registry)
        info.labels(version).set(1)
        self.connections = Gauge(
            "db_pool_connections", "Connections to Postgres", ["state"], registry=self.registry
        )
        self.waiting = Gauge(
            "db_pool_waiting", "Who waits for a connection to Postgres", registry=self.registry
        )


class WebMetrics(Common):
    """Rate, errors and duration of requests, and what waits to be done."""

    def __init__(self, version: str) -> None:
        super().__init__(version)
        registry = self.registry
        self.requests = Counter(
            "http_requests", "Requests answered", ["method", "route", "status"], registry=registry
        )
        self.duration = Histogram(
            "http_request_duration_seconds",
            "From the request's first byte to the answer's last",
            ["method", "route"],
            buckets=SECONDS,
            registry=registry,
        )
        self.in_flight = Gauge("http_requests_in_flight", "Requests being answered", registry=registry)
        self.queued = Gauge("jobs_queued", "Jobs that wait", ["kind"], registry=registry)
        self.oldest = Gauge(
            "jobs_oldest_queued_seconds", "Age of the oldest job that waits", ["kind"], registry=registry
        )

    def answered(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count one request. Ids are in no label: the template is, and one word for all that fits none."""
        method, route = method if method in METHODS else "other", route or "unmatched"
        self.requests.labels(method, route, str(status)).inc()
        self.duration.labels(method, route).observe(seconds)


@dataclass
class Call:
    """One call to an upstream; whoever makes it notes how it ended."""

    outcome: Outcome = "no-answer"
    status: int | None = None
    seconds: float = 0.0


class WorkerMetrics(Common):
    """How upstreams answer."""

    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.calls = Counter(
            "upstream_requests", "Calls that ended", ["upstream", "outcome"], registry=self.registry
        )
        self.duration = Histogram(
            "upstream_request_duration_seconds",
            "How long a call took",
            ["upstream"],
            buckets=SECONDS,
            registry=self.registry,
        )
        # From the first look on: a rate needs a zero to begin with.
        for upstream in UPSTREAMS:
            self.duration.labels(upstream)
            for outcome in get_args(Outcome):
                self.calls.labels(upstream, outcome)

    @contextmanager
    def call(self, upstream: str) -> Iterator[Call]:
        """Stands around one call, and counts it however it ends."""
        call, started = Call(), perf_counter()
        try:
            yield call
        finally:
            call.seconds = perf_counter() - started
            self.calls.labels(upstream, call.outcome).inc()
            self.duration.labels(upstream).observe(call.seconds)
