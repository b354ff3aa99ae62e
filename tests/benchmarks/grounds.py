"""The same warm grade on both grounds: servers from binaries beside us, and containers."""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from compose import engine
from compose.stores import Ground, StoresFailed
from tests.benchmarks.kit import Kit

GROUNDS: tuple[Ground, ...] = ("embedded", "docker")


@dataclass(frozen=True)
class OnGround:
    """Seconds of each round of the reference's grade, and of its phases in the last."""

    ground: Ground
    seconds: tuple[float, ...]
    phases: dict[str, float]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def measured_grounds(kit: Kit, rounds: int, say: Callable[[str], None]) -> tuple[OnGround, ...]:
    """Both in turns, after a first one on Docker that makes everything warm. Nothing without an engine."""
    try:
        with engine.connected():
            pass
    except StoresFailed as error:
        say(f"not on Docker: {error.problem}")
        return ()
    say("grades on Docker and beside us, in turns")
    kit.grade("--reference", "--on", "docker")
    found: dict[Ground, list[float]] = {ground: [] for ground in GROUNDS}
    phases: dict[Ground, dict[str, float]] = {}
    for _ in range(rounds):
        for ground in GROUNDS:
            started = time.perf_counter()
            report = kit.grade("--reference", "--on", ground)
            found[ground].append(time.perf_counter() - started)
            phases[ground] = {each["name"]: each["seconds"] for each in report["phases"]}
    return tuple(OnGround(ground, tuple(found[ground]), phases[ground]) for ground in GROUNDS)


def table(runs: tuple[OnGround, ...]) -> Iterator[str]:
    """Medians, the phases that differ, and the ratio."""
    if not runs:
        return
    beside, contained = runs
    yield "| a warm grade of the reference | embedded | on Docker | ratio |"
    yield "|---|---|---|---|"
    ratio = contained.median / beside.median
    yield f"| seconds, all of it | {beside.median:.1f} | {contained.median:.1f} | **{ratio:.2f}** |"
    for name in ("stores", "release", "boot", "checks", "stop"):
        one, other = beside.phases[name], contained.phases[name]
        yield f"| {name} | {one:.1f} | {other:.1f} | {other / max(one, 0.05):.2f} |"
