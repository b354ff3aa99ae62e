"""Several at once, and no more than that."""

import threading
from collections.abc import Iterator

import pytest

from graders.engine.pool import for_each, shares


def nothing() -> None:
    pass


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_a_task_is_taken_when_a_job_is_free_and_not_before(jobs: int) -> None:
    ended: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(10):
            assert number < jobs + len(ended), "taken ahead"
            yield number

    for_each(tasks(), lambda n: n * n, jobs=jobs, done=lambda n, square: ended.append(square), halt=nothing)
    assert sorted(ended) == [n * n for n in range(10)]


@pytest.mark.parametrize("fails", ["work", "done"])
def test_what_goes_wrong_halts_the_others_and_is_raised(fails: str) -> None:
    halted = threading.Event()

    def work(name: str) -> None:
        if name == fails:
            raise ArithmeticError
        if name == "slow":
            assert halted.wait(30), "nobody ended it"

    def done(name: str, result: None) -> None:
        if fails == name == "done":
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        for_each(["slow", "work", "done"], work, jobs=2, done=done, halt=halted.set)


@pytest.mark.parametrize(
    ("cores", "jobs", "shared"),
    [
        ({0, 1}, 1, [()]),
        ({0, 1}, 2, [(0,), (1,)]),
        ({3, 5, 7, 9}, 2, [(3, 7), (5, 9)]),
        ({0, 1}, 3, [(0,), (1,), (0,)]),
        ({0, 1, 2, 3}, 3, [(0, 3), (1,), (2,)]),
    ],
)
def test_each_job_has_processors_of_its_own(
    cores: set[int], jobs: int, shared: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: cores, raising=False)
    assert shares(jobs) == shared
