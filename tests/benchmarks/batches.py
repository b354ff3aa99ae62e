"""Many submissions: how many a minute at one job and at two, and what memory they take."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.kit import OCTO_LAB, SEED, Kit, NotPassed, running
from tests.benchmarks.memory import Memory, watched

SUBMISSIONS = 6
JOBS = (1, 2)


@dataclass(frozen=True)
class BatchRun:
    """One batch at so many jobs: seconds for all of its submissions, and the memory of a shorter one that was watched."""

    jobs: int
    submissions: int
    seconds: float
    memory: Memory

    @property
    def per_minute(self) -> float:
        return 60 * self.submissions / self.seconds


def measured_batches(kit: Kit, folder: Path) -> tuple[BatchRun, ...]:
    """A batch of references at one job and at two. Raises NotPassed."""
    return tuple(_measured(kit, folder, jobs) for jobs in JOBS)


def _measured(kit: Kit, folder: Path, jobs: int) -> BatchRun:
    shelf = _shelf(kit, folder / f"shelf-{jobs}", SUBMISSIONS)
    started = time.perf_counter()
    with running(kit, _command(kit, shelf, folder / f"out-{jobs}", jobs)) as process:
        output, _ = process.communicate()
    seconds = time.perf_counter() - started
    _expect_passed(output, SUBMISSIONS)
    # Watching takes time of its own, so what is timed is not watched.
    short = _shelf(kit, folder / f"short-{jobs}", 2)
    with running(kit, _command(kit, short, folder / f"out-short-{jobs}", jobs)) as process:
        memory, output = watched(process)
    _expect_passed(output, 2)
    return BatchRun(jobs, SUBMISSIONS, seconds, memory)


def _shelf(kit: Kit, shelf: Path, count: int) -> Path:
    for number in range(count):
        target = shelf / f"submission-{number}"
        shutil.copytree(kit.lab.reference, target, ignore=shutil.ignore_patterns("__pycache__"))
    return shelf


def _command(kit: Kit, shelf: Path, out: Path, jobs: int) -> list[str]:
    where = ("--each", str(shelf), "--out", str(out))
    return [OCTO_LAB, "grade-batch", kit.lab.id, *where, "--jobs", str(jobs), "--seed", SEED]


def _expect_passed(output: str, count: int) -> None:
    if f"{count} submissions: {count} passed" not in output:
        raise NotPassed(output[-500:])
