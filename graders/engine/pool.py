"""Several grades at once: as many under way as there are jobs, and all of them ended when one thing goes wrong."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shares(jobs: int) -> list[tuple[int, ...]]:
    """The processors of each job, its own as far as they go, so that a submission that takes all it can get takes from
    nobody else; empty (all of them) for a job alone, and where the system cannot say."""
    if jobs == 1 or not hasattr(os, "sched_getaffinity"):
        return [()] * jobs
    mine = sorted(os.sched_getaffinity(0))
    return [tuple(mine[job % len(mine) :: jobs]) for job in range(jobs)]


def for_each(
    tasks: Iterable[T],
    work: Callable[[T], R],
    *,
    jobs: int,
    done: Callable[[T, R], None],
    halt: Callable[[], None],
) -> None:
    """Do `work` on every task, `jobs` at once, and tell `done`, in this thread, of each as it ends.

    A task is taken when a job is free for it and not before. What `work` or `done` raises, and an interrupt, calls
    `halt`, which must end the work under way, and is raised here.
    """
    left = iter(tasks)
    with ThreadPoolExecutor(jobs) as pool:
        try:
            working = {pool.submit(work, task): task for task in islice(left, jobs)}
            while working:
                for each in wait(working, return_when=FIRST_COMPLETED).done:
                    done(working.pop(each), each.result())
                    working |= {pool.submit(work, task): task for task in islice(left, 1)}
        except BaseException:
            halt()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
