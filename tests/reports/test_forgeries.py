"""When a forgery has won, and how that is told."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from graders.reports.forgeries import Demand, Forgeries, ForgeryRow, Got, faults, held, said
from graders.reports.forgery_screen import render_forgeries

from .conftest import Shown

HONEST = Got("fail", 50.0, frozenset({"a", "b"}))
DEMAND = Demand("at-most", ("fail",))


@pytest.mark.parametrize(
    ("demand", "got", "told"),
    [
        (DEMAND, HONEST, ""),
        (DEMAND, Got("fail", 25.0, frozenset({"a"})), ""),
        (DEMAND, Got("fail", 50.0, frozenset({"a", "c"})), "passed c, which"),
        (DEMAND, replace(HONEST, ending="pass"), "ended as pass"),
        (DEMAND, replace(HONEST, ending="ungraded"), "ended as ungraded"),
        (replace(DEMAND, expected="zero"), Got("fail"), ""),
        (replace(DEMAND, expected="zero"), HONEST, "should pass nothing"),
        (replace(DEMAND, expected="honest"), HONEST, ""),
        (replace(DEMAND, expected="honest"), Got("fail", 25.0, frozenset({"a"})), "lost b"),
        (replace(DEMAND, says="MB of body"), replace(HONEST, text="more than 4 MB of body"), ""),
        (replace(DEMAND, says="MB of body"), HONEST, "nothing in the report says"),
        (replace(DEMAND, never="loot"), replace(HONEST, text="loot: a secret"), "the report says /loot/"),
        (DEMAND, replace(HONEST, text="\x1b[2J"), "act on a screen"),
        (DEMAND, replace(HONEST, text="two\nlines\tof \\x1b"), ""),
    ],
)
def test_what_counts_as_won(demand: Demand, got: Got, told: str) -> None:
    found = faults(demand, got, HONEST)
    assert told in " ".join(found) if told else found == ()


def test_what_was_blocked_is_said_first() -> None:
    got = replace(HONEST, text="4 MB of body", blocked=("It used too much.",))
    assert said(replace(DEMAND, says="MB"), got) == "It used too much."
    assert said(replace(DEMAND, says="MB"), replace(got, blocked=())) == "MB"
    assert said(DEMAND, replace(got, blocked=())) == ""


ROWS = (
    ForgeryRow("conftest-hook", "A hook that passes every test.", HONEST, 50.0),
    ForgeryRow("gzip-bomb", "Zeros without an end.", Got("fail"), 100.0, "MB of body"),
    ForgeryRow("link-outwards", "A link to everything.", Got("refused"), 50.0, "not a regular file"),
)
IDLE = ForgeryRow("hog-memory", "Takes memory for ever.", Got("not run"), 50.0, "needs bubblewrap")
WON = ForgeryRow(
    "by-rote",
    "Learns the first answer of each kind by heart and gives it ever after.",
    Got("pass", 100.0),
    50.0,
    "",
    ("it ended as pass, not as fail", "the report says /\x1b/"),
)


@pytest.mark.parametrize(
    "found",
    [
        Forgeries("lesson-05", "bubblewrap: own network", ROWS),
        Forgeries("lesson-05", "none: runs as the same user", (*ROWS, IDLE)),
        Forgeries("lesson-05", "bubblewrap: own network", (*ROWS, WON), ("the cache was changed: a.py",)),
    ],
    ids=["held", "not all were run", "one won"],
)
def test_the_table(found: Forgeries, shown: Callable[..., Shown], snapshot: SnapshotAssertion) -> None:
    page = shown()
    render_forgeries(found, page.console)
    assert page.text == snapshot


def test_only_what_ran_holds() -> None:
    assert held(Forgeries("lesson-05", "", ROWS))
    assert not held(Forgeries("lesson-05", "", (*ROWS, IDLE)))
    assert not held(Forgeries("lesson-05", "", (*ROWS, WON)))
    assert not held(Forgeries("lesson-05", "", ROWS, ("the cache was changed",)))
