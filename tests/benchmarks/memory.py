"""The memory of one whole grade: every process of it, several times a second, summed by what it is."""

import subprocess
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

from tests.benchmarks.kit import Kit, report_of, running_grade

INTERVAL = 0.2
MIB = 2**20

KEEPER = "graders.engine.keeper"

# The first that stands in a command line says what the process is.
MARKS = {
    KEEPER: "keeper",
    "billing.app": "web",
    "billing.migrate": "release",
    "postgres": "postgres",
    "valkey": "valkey",
    "redis-server": "valkey",
    "octo_lab": "CLI",
}
KINDS = ("CLI", "keeper", "conductor + pytest", "postgres", "valkey", "web", "release", "other")


@dataclass(frozen=True)
class Memory:
    """Peaks in bytes: of each kind by itself, and of all at once. `measure` is PSS, or RSS where there is no PSS."""

    peaks: dict[str, int]
    whole: int
    samples: int
    measure: str


def measured_grade(kit: Kit) -> Memory:
    """Grade the reference once and watch its memory. Raises NotPassed."""
    with running_grade(kit, "--reference") as process:
        found, output = watched(process)
    report_of(output)
    return found


def watched(process: "subprocess.Popen[str]") -> tuple[Memory, str]:
    """The memory of a process and of all below it until it ends, and its output."""
    peaks: Counter[str] = Counter()
    whole = samples = 0
    root = psutil.Process(process.pid)
    output = None
    while output is None:
        now = _by_kind([root, *_descendants(root)])
        peaks |= now
        whole = max(whole, now.total())
        samples += 1
        with suppress(subprocess.TimeoutExpired):
            output, _ = process.communicate(timeout=INTERVAL)
    return Memory(dict(peaks), whole, samples, "PSS" if psutil.LINUX else "RSS"), output


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _by_kind(processes: Sequence[psutil.Process]) -> Counter[str]:
    """Bytes by kind. A process that ends meanwhile has none."""
    sums: Counter[str] = Counter()
    for process in processes:
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            sums[_kind(process)] += _bytes(process)
    return sums


def _bytes(process: psutil.Process) -> int:
    """The proportional set size counts a page shared by n processes as 1/n for each, so that sums are true."""
    if psutil.LINUX:
        return int(process.memory_full_info().pss)
    return int(process.memory_info().rss)


def _kind(process: psutil.Process) -> str:
    line = " ".join(process.cmdline())
    kind = next((kind for mark, kind in MARKS.items() if mark in line), "other")
    if kind == "keeper":  # the conductor is the keeper's fork and has its command line
        parent = process.parent()
        return "conductor + pytest" if parent and KEEPER in " ".join(parent.cmdline()) else "keeper"
    return kind
