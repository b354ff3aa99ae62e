"""What the contenders are given, so that they do the same work: programs, data, the service, the requests."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

PLAN_VARIABLE = "OCTO_LAB_BENCHMARK_PLAN"

Laps = dict[str, float]


@dataclass(frozen=True)
class Plan:
    """All paths are absolute.

    folder: empty and this run's own; the servers' user can pass through it.
    cluster, password: a stopped cluster with the dataset, to be copied, and its superuser's password.
    python: the bin folder of the service's own environment.
    databases: the sizes of each database by name, for those who fill them by themselves.
    traffic: the requests to send, as `traffic.load` reads them.
    """

    folder: str
    cluster: str
    password: str
    postgres: str
    initdb: str
    valkey: str
    python: str
    reference: str
    schema: str
    dataset: str
    databases: dict[str, dict[str, int]]
    traffic: str

    def hand_over(self) -> dict[str, str]:
        """Write the plan down; the environment with which a contender finds it."""
        path = Path(self.folder, "plan.json")
        path.write_text(json.dumps(asdict(self)))
        path.chmod(0o600)
        return {**os.environ, PLAN_VARIABLE: str(path)}


def given_plan() -> Plan:
    """The plan that this process was started with."""
    return Plan(**json.loads(Path(os.environ[PLAN_VARIABLE]).read_text()))


@contextmanager
def lap(laps: Laps, name: str) -> Iterator[None]:
    """Add the seconds that the body takes to the lap `name`."""
    started = time.perf_counter()
    try:
        yield
    finally:
        laps[name] = laps.get(name, 0.0) + time.perf_counter() - started


def report_laps(plan: Plan, laps: Laps) -> None:
    """Leave the laps for the one who keeps the times."""
    Path(plan.folder, "laps.json").write_text(json.dumps(laps))


def reported_laps(plan: Plan) -> Laps:
    """What `report_laps` left."""
    laps: Laps = json.loads(Path(plan.folder, "laps.json").read_text())
    return laps
