"""What a read may cost, in rows and buffers for what it returns: wide enough for every sensible design.

Measured on the dataset, rows / buffers. The right fixes are an ORM with more statements for each request, ascending,
covering and full composite indexes, a short sort of ties, a balance kept by a trigger, another language.

| read                           | bound         | reference  | right fixes, at most | mistakes, at least        |
|--------------------------------|---------------|------------|----------------------|---------------------------|
| newest, 20 of 1 276            | 140 / 120     | 22 / 27    | 47 / 30              | 1 277 / 1 218             |
| newest, 100 of 50 052          | 300 / 360     | 102 / 35   | 127 / 37             | 2 474 / 69                |
| newest, 100, page 500          | 300 / 360     | 102 / 34   | 127 / 37             | 14 002 / 3 903 (page 140) |
| overdue, 20                    | 140 / 120     | 21 / 24    | 21 / 25              | 1 927 / 1 697             |
| number                         | 60 / 60       | 1 / 6      | 1 / 6                | 373 765 / 13 653          |
| balance, 1 498 open of 50 052  | 1 558 / 1 558 | 1 524 / 15 | 1 524 / 980          | 50 078 / 13 383           |
"""

from collections.abc import Callable
from dataclasses import dataclass

from graders.check import expect
from graders.lesson_05.population import expect_there
from graders.lesson_05.shapes import Page
from graders.probes.observation import Observation
from graders.probes.plans import grouped
from graders.probes.postgres import Postgres

TIMES = 3
TOLD = 3
KEPT = "Other programs write to these tables. What the service keeps for itself is wrong after that."


@dataclass(frozen=True)
class Bound:
    """The most that may be read: rows (index entries count) and buffers (pages of 8 kB)."""

    rows: int
    buffers: int


LOOK_UP = Bound(rows=60, buffers=60)


def page_bound(limit: int) -> Bound:
    """A page reads its rows, each in a buffer of its own at worst, perhaps the ties behind them, and a customer."""
    return Bound(rows=2 * limit + 100, buffers=3 * limit + 60)


def balance_bound(open_invoices: int) -> Bound:
    """A balance reads the open invoices once, each in a buffer of its own at worst."""
    return Bound(rows=open_invoices + 60, buffers=open_invoices + 60)


@dataclass(frozen=True)
class Measured:
    """The costliest of a few identical requests: each connection of a pool may have settled on another plan."""

    what: str
    did: str
    seen: Observation
    uncounted: tuple[str, ...]  # of all of them
    answered: int  # rows that an answer held
    least_read: int  # rows that were read for the cheapest of them


def measure(postgres: Postgres, what: str, request: Callable[[], object]) -> Measured:
    """Send the request a few times, each under observation."""
    observations = []
    for _ in range(TIMES):
        with postgres.observe() as seen:
            answer = request()
        observations.append(seen)
        if seen.uncounted:
            break
    did = postgres.steps.last()
    expect_there(postgres)
    costliest = max(observations, key=lambda seen: (seen.rows_read, seen.buffers))
    uncounted = tuple(line for seen in observations for line in seen.uncounted)
    least_read = min(seen.rows_read for seen in observations)
    return Measured(what, did, costliest, uncounted, _rows_in(answer), least_read)


def _rows_in(answer: object) -> int:
    return len(answer.items) if isinstance(answer, Page) else int(answer is not None)


def expect_within(measured: Measured, bound: Bound, *, because: str) -> None:
    """Hold a measured read to its bound, and show the plan's telling line where it breaks it."""
    expect_statements(measured)
    expect_read(measured)
    seen = measured.seen
    expect(
        seen.rows_read <= bound.rows and seen.buffers <= bound.buffers,
        expected=f"{measured.what} reads at most {grouped(bound.rows)} rows "
        f"and {grouped(bound.buffers)} buffers (of 8 kB).",
        got=cost_told(seen),
        because=because,
        did=measured.did,
    )


def expect_statements(measured: Measured) -> None:
    """No verdict without evidence: the request must have asked the database, and all that it asked must be counted."""
    expect(
        bool(measured.seen.plans),
        expected=f"{measured.what} is read from the database.",
        got="an answer came, but no statement reached the database",
        because=KEPT,
        did=measured.did,
    )
    expect(
        not measured.uncounted,
        expected="Each statement of a read comes to its end, so that Postgres can say what it cost.",
        got="\n  ".join(measured.uncounted[:TOLD]),
        because="The database has done the work all the same. It is in no statistics and no plan, so nobody will find "
        "out what the machine is busy with.",
        did=measured.did,
    )


def expect_read(measured: Measured) -> None:
    """What the answer holds was read for it, each time that it was asked for."""
    expect(
        measured.least_read >= measured.answered,
        expected=f"{measured.what} is read from the database: {grouped(measured.answered)} rows at least.",
        got=f"{grouped(measured.least_read)} rows were read, and the answer holds {grouped(measured.answered)}",
        because=KEPT,
        did=measured.did,
    )


def cost_told(seen: Observation) -> str:
    """Rows and buffers, and the plan's telling line."""
    plan = seen.costliest()
    told = f"{grouped(seen.rows_read)} rows and {grouped(seen.buffers)} buffers were read"
    return "\n  ".join([told, *plan.telling_lines()]) if plan else told
