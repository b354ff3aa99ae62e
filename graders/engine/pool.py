"""Several grades at once: all are begun in order, each is told when it ends, an interrupt ends them all."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from graders.engine.grade import Halt

T = TypeVar("T")
R = TypeVar("R")


def as_they_end(work: Callable[[T, Halt], R], wanted: Sequence[T], jobs: int) -> Iterator[tuple[T, R]]:
    """`work` done on each of `wanted`, `jobs` at once. Whatever stops the reader halts what is under way."""
    halt = Halt()
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(work, each, halt): each for each in wanted}
        try:
            for ended in as_completed(waiting):
                yield waiting[ended], ended.result()
        except BaseException:
            halt()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
