"""How much memory a process and all that it started hold, now and at most while something happens."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from graders.check import CannotJudge

SECONDS_BETWEEN_LOOKS = 0.01
# A kernel may leave these files out (proc_pid_task_tid_children(5)).
KERNEL_TELLS = Path("/proc/thread-self/children").exists()


@dataclass
class Peak:
    """Bytes resident before, and at most until the block ended. `looks`: how often it was measured."""

    before: int
    most: int
    looks: int = 0

    @property
    def growth(self) -> int:
        return self.most - self.before


def resident(pid: int) -> int:
    """Bytes of physical memory, summed over the process and its descendants (what they share counts for each)."""
    try:
        family = _family(psutil.Process(pid))
    except psutil.NoSuchProcess:
        raise CannotJudge("The process to be measured is gone.", "Grade again.") from None
    total = 0
    for each in family:
        with suppress(psutil.NoSuchProcess):
            total += int(each.memory_info().rss)
    return total


def _family(head: psutil.Process) -> list[psutil.Process]:
    """It and its descendants. psutil reads all processes of the machine to find them: half a core, looking so often."""
    if not KERNEL_TELLS:
        return [head, *head.children(recursive=True)]
    pids, family = [head.pid], [head]
    for pid in pids:  # which grows
        for child in _children(pid):
            pids.append(child)
            with suppress(psutil.NoSuchProcess):
                family.append(psutil.Process(child))
    return family


def _children(pid: int) -> Iterator[int]:
    with suppress(OSError):  # it has ended
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                yield from map(int, (thread / "children").read_text().split())


@contextmanager
def watched(measure: Callable[[], int]) -> Iterator[Peak]:
    """Measure again and again while the body runs. `measure`: bytes, as of `resident`; it may raise CannotJudge."""
    before = measure()
    peak = Peak(before, before)
    over = threading.Event()

    def look() -> None:
        while not over.wait(SECONDS_BETWEEN_LOOKS):
            with suppress(CannotJudge):
                peak.most = max(peak.most, measure())
                peak.looks += 1

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield peak
    finally:
        over.set()
        looking.join()
        with suppress(CannotJudge):
            peak.most = max(peak.most, measure())
            peak.looks += 1
