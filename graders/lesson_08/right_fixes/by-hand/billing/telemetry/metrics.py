"""Numbers without a library: a few dictionaries, and the text format written by hand."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Literal

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
EDGES = (0.05, 0.2, 1.0, 5.0)
Outcome = Literal["success", "refused", "failed", "no-answer"]
Labels = tuple[tuple[str, str], ...]


class Numbers:
    """Values by labels. kind: `counter` or `gauge`."""

    def __init__(self, name: str, kind: str) -> None:
        self.name, self.kind = name, kind
        self.values: dict[Labels, float] = defaultdict(float)

    def add(self, amount: float = 1, **labels: str) -> None:
        self.values[tuple(labels.items())] += amount

    def put(self, value: float, **labels: str) -> None:
        self.values[tuple(labels.items())] = value

    def clear(self) -> None:
        self.values.clear()

    def lines(self) -> Iterator[str]:
        yield f"# TYPE {self.name} {self.kind}"
        for labels, value in self.values.items():
            yield f"{self.name}{_shown(labels)} {value}"


class Durations:
    """A histogram."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seen: dict[Labels, list[float]] = {}

    def observe(self, seconds: float, **labels: str) -> None:
        row = self.seen.setdefault(tuple(labels.items()), [0.0] * (len(EDGES) + 2))
        for at, edge in enumerate(EDGES):
            row[at] += seconds <= edge
        row[-2] += 1
        row[-1] += seconds

    def lines(self) -> Iterator[str]:
        yield f"# TYPE {self.name} histogram"
        for labels, row in self.seen.items():
            for at, edge in enumerate((*EDGES, "+Inf")):
                yield f"{self.name}_bucket{_shown((*labels, ('le', str(edge))))} {row[at]}"
            yield f"{self.name}_count{_shown(labels)} {row[-2]}"
            yield f"{self.name}_sum{_shown(labels)} {row[-1]}"


class Common:
    """What each process tells."""

    def __init__(self, version: str) -> None:
        self.info = Numbers("service_info", "gauge")
        self.info.put(1, version=version)
        self.connections = Numbers("db_pool_connections", "gauge")
        self.all: list[Numbers | Durations] = [self.info, self.connections]

    def text(self) -> str:
        return "".join(f"{line}\n" for each in self.all for line in each.lines())


class WebMetrics(Common):
    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.requests = Numbers("http_requests_total", "counter")
        self.duration = Durations("http_request_duration_seconds")
        self.flying = Numbers("http_requests_in_flight", "gauge")
        self.in_flight = _InFlight(self.flying)
        self.queued = Numbers("jobs_queued", "gauge")
        self.oldest = Numbers("jobs_oldest_queued_seconds", "gauge")
        self.all += [self.requests, self.duration, self.flying, self.queued, self.oldest]

    def answered(self, method: str, route: str | None, status: int, seconds: float) -> None:
        method, route = method if method in METHODS else "other", route or "unmatched"
        self.requests.add(method=method, route=route, status=str(status))
        self.duration.observe(seconds, method=method, route=route)


class _InFlight:
    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        numbers.put(0)

    def inc(self) -> None:
        self.numbers.add(1)

    def dec(self) -> None:
        self.numbers.add(-1)


@dataclass
class Call:
    outcome: Outcome = "no-answer"
    status: int | None = None
    seconds: float = 0.0


class WorkerMetrics(Common):
    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.calls = Numbers("upstream_requests_total", "counter")
        self.duration = Durations("upstream_request_duration_seconds")
        self.all += [self.calls, self.duration]

    @contextmanager
    def call(self, upstream: str) -> Iterator[Call]:
        call, started = Call(), perf_counter()
        try:
            yield call
        finally:
            call.seconds = perf_counter() - started
            self.calls.add(upstream=upstream, outcome=call.outcome)
            self.duration.observe(call.seconds, upstream=upstream)


def _shown(labels: Labels) -> str:
    quoted = (f'{name}="{value}"' for name, value in labels)
    return "{" + ",".join(quoted) + "}" if labels else ""
