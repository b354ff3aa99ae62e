"""What a read may cost: rows and buffers for what it returns. Wide enough for every sensible design (see the table).

Measured on the dataset, whale and ordinary customers alike, in rows / buffers:

read            returns     bound       reference   ORM, covering, ...   a list of guesses
newest          100 rows    300 / 360   ...
"""

from collections.abc import Callable
from dataclasses import dataclass

from graders.check import expect
from graders.probes.plans import grouped
from graders.probes.postgres import Observation, Postgres

TIMES = 3


@dataclass(frozen=True)
class Bound:
    """The most that may be read, in rows (index entries count) and in buffers (pages of 8 kB)."""

    rows: int
    buffers: int


def page_bound(limit: int) -> Bound:
    """A page reads its rows, may look one tie further, and goes down an index or two."""
    return Bound(rows=2 * limit + 100, buffers=3 * limit + 60)


LOOK_UP = Bound(rows=60, buffers=60)


def balance_bound(open_invoices: int) -> Bound:
    """A balance reads the open invoices once, each in a page of its own at worst."""
    return Bound(rows=open_invoices + 60, buffers=open_invoices + 60)


@dataclass(frozen=True)
class Measured:
    """The costliest of a few identical requests: a pool's connections may each have settled on another plan."""

    what: str
    did: str
    seen: Observation


def measure(postgres: Postgres, what: str, request: Callable[[], object]) -> Measured:
    """Send the request a few times, each under observation."""
    observations = []
    for _ in range(TIMES):
        with postgres.observe() as seen:
            request()
        observations.append(seen)
    costliest = max(observations, key=lambda seen: (seen.rows_read, seen.buffers))
    return Measured(what, postgres.steps.last(), costliest)


def expect_within(measured: Measured, bound: Bound, *, because: str) -> None:
    """Hold a measured read to its bound, and show the plan's telling line where it breaks it."""
    expect_statements(measured)
    seen = measured.seen
    expect(
        seen.rows_read <= bound.rows and seen.buffers <= bound.buffers,
        expected=f"{measured.what} reads at most {grouped(bound.rows)} rows and {grouped(bound.buffers)} buffers",
        got=cost_told(seen),
        because=because,
        did=measured.did,
    )


def expect_statements(measured: Measured) -> None:
    """No verdict without evidence: the request must have asked the database."""
    expect(
        bool(measured.seen.plans),
        expected=f"{measured.what} is read from the database",
        got="an answer came, but no statement reached the database",
        because="Other programs write to these tables too: what is kept in the service is wrong after their next write.",
        did=measured.did,
    )


def cost_told(seen: Observation) -> str:
    """Rows and buffers, and the plan's telling line."""
    plan = seen.costliest()
    told = f"{grouped(seen.rows_read)} rows and {grouped(seen.buffers)} buffers were read"
    return f"{told}\n{plan.telling_line()}" if plan else told
