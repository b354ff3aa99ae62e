"""Contenders take turns, so that a busy machine is unfair to all alike; the median of their rounds is compared."""

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from compose.spread import spread_trees
from tests.benchmarks.kit import REPOSITORY, Kit
from tests.benchmarks.plan import Laps, Plan, reported_laps

KIT, FLOOR, BY_HAND = "kit", "floor", "by hand"

Contender = Callable[[Path], Laps]


@dataclass(frozen=True)
class Round:
    """One run of one contender: seconds from the start of its process to its end, of its and its children's CPUs."""

    seconds: float
    cpu: float
    laps: Laps


@dataclass(frozen=True)
class Times:
    """All rounds of one contender."""

    rounds: tuple[Round, ...]

    @property
    def seconds(self) -> float:
        return median(each.seconds for each in self.rounds)

    @property
    def fastest(self) -> float:
        return min(each.seconds for each in self.rounds)

    @property
    def cpu(self) -> float:
        return median(each.cpu for each in self.rounds)

    @property
    def different(self) -> int:
        """Requests of one round that were answered with another status than in the grade."""
        return int(max(each.laps.get("different", 0) for each in self.rounds))

    def lap(self, name: str) -> float | None:
        """The median of one lap, or None for a contender without it."""
        taken = [each.laps[name] for each in self.rounds if name in each.laps]
        return median(taken) if taken else None


def contenders(kit: Kit, plan: Plan) -> dict[str, Contender]:
    """How each of them runs once, given an empty folder."""
    by_hand = str(Path(__file__).with_name("by_hand.py"))
    pytest = ("-m", "pytest", "--quiet", "--confcutdir", str(Path(by_hand).parent), by_hand)
    return {
        KIT: lambda folder: _phases(kit),
        FLOOR: lambda folder: _other(replace(plan, folder=str(folder)), "-m", "tests.benchmarks.floor"),
        BY_HAND: lambda folder: _other(replace(plan, folder=str(folder)), *pytest),
    }


def take_turns(
    runners: Mapping[str, Contender], count: int, workspace: Path, say: Callable[[str], None]
) -> dict[str, Times]:
    """`count` rounds of all contenders, one after the other within each round."""
    spread_trees(workspace)  # as the kit does for its own runs
    taken: dict[str, list[Round]] = {name: [] for name in runners}
    for number in range(1, count + 1):
        for name, run in runners.items():
            folder = workspace / f"{name.replace(' ', '-')}-{number}"
            folder.mkdir()
            folder.chmod(0o711)
            taken[name].append(_timed(run, folder))
            say(f"round {number} of {count}: {name:8} {taken[name][-1].seconds:6.2f} s")
    return {name: Times(tuple(rounds)) for name, rounds in taken.items()}


def _timed(run: Contender, folder: Path) -> Round:
    cpu, started = _cpu(), time.perf_counter()
    laps = run(folder)
    seconds = time.perf_counter() - started
    return Round(seconds, _cpu() - cpu, {"around": seconds - _known(laps), **laps})


def _known(laps: Laps) -> float:
    return sum(seconds for name, seconds in laps.items() if name != "different")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _phases(kit: Kit) -> Laps:
    report = kit.grade("--reference")
    return {phase["name"]: float(phase["seconds"]) for phase in report["phases"]}


def _other(plan: Plan, *arguments: str) -> Laps:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env=plan.hand_over(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return reported_laps(plan)
