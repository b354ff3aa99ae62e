"""Scenarios beside the checks: each is told by its own check, whatever became of those before it."""

import threading
import time

import pytest

from graders.check import CannotJudge, Failure
from graders.probes.ahead import Beside


class Played:
    """Scenarios that note their turn."""

    def __init__(self) -> None:
        self.turns: list[str] = []
        self.go_on = threading.Event()

    def works(self) -> None:
        self.go_on.wait(10)
        self.turns.append("works")

    def fails(self) -> None:
        self.turns.append("fails")
        raise Failure(expected="One.", got="none", because="Reasons.")

    def fails_and_says_where(self) -> None:
        self.turns.append("fails and says where")
        raise Failure(expected="One.", got="none", because="Reasons.", did="curl there")

    def breaks(self) -> None:
        self.turns.append("breaks")
        raise CannotJudge("The machine is gone.", "Grade again.")

    def last(self) -> None:
        self.turns.append("last")


@pytest.fixture
def played() -> Played:
    return Played()


def beside(played: Played) -> Beside:
    scenarios = {
        "a": played.works,
        "b": played.fails,
        "c": played.fails_and_says_where,
        "d": played.breaks,
    }
    return Beside(scenarios, played.last, lambda: "curl here")


def test_they_run_beside_whoever_began_them_and_are_waited_for(played: Played) -> None:
    scenarios = beside(played)
    assert played.turns == []
    played.go_on.set()
    scenarios.judge("a")
    assert played.turns[0] == "works"


def test_each_is_told_by_itself_and_the_next_one_runs_all_the_same(played: Played) -> None:
    began = time.monotonic()
    scenarios = beside(played)
    played.go_on.set()
    with pytest.raises(Failure) as failed:
        scenarios.judge("b")
    assert failed.value.did == "curl here", "where it says nothing itself, what was done last in its thread"
    assert failed.value.during is not None
    first, last = failed.value.during
    assert began <= first <= last <= time.monotonic()
    with pytest.raises(Failure) as told:
        scenarios.judge("c")
    assert told.value.did == "curl there"
    with pytest.raises(CannotJudge):
        scenarios.judge("d")  # by its end the last thing is done, too
    assert played.turns == ["works", "fails", "fails and says where", "breaks", "last"]
