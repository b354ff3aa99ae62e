"""An index is paid for on every write: each must earn its keep, and together they must leave writes cheap."""

import random

from graders.check import check, expect
from graders.lesson_05.population import Population
from graders.lesson_05.usage import Usage
from graders.lesson_05.write_cost import BOUND, LIVES, TRY_IT, write_cost
from graders.probes.indexes import guards, indexes_of, repeats
from graders.probes.plans import grouped
from graders.probes.postgres import Postgres, psql

MB = 1024 * 1024


@check("no-idle-index", needs=["data-kept"])
def test_idle(postgres: Postgres, usage: Usage) -> None:
    """Every index on invoices is used by a read or a write that the service promises."""
    there = indexes_of(postgres, "invoices")
    idle = [
        index
        for index in there
        if index.valid and not index.constraint and not usage.serving(index.name) and not guards(index, there)
    ]
    expect(
        not idle,
        expected="Each index serves one of the four reads at least, or forbids what must not be.",
        got="\n".join(
            f"no plan went through {index.name}\n  {index.brief}, "
            f"{index.size / MB:.1f} MB, {grouped(index.entries)} entries"
            for index in idle
        ),
        because="Nobody reads it, and still every write keeps it up to date and every backup carries it.",
        did=psql("SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE relname = 'invoices'"),
    )


@check("no-repeated-index")
def test_repeated(postgres: Postgres) -> None:
    """No index says again what another one says already."""
    there = indexes_of(postgres, "invoices")
    pairs = [(index, other) for index in there for other in there if repeats(index, other)]
    expect(
        not pairs,
        expected="No index whose work another one can do.",
        got="\n".join(
            f"{index.name} repeats {other.name}\n  {index.brief}\n  {other.brief}" for index, other in pairs
        ),
        because="Whatever it finds, the other one finds too; and both cost their share of every write.",
        did=psql(r"\d invoices"),
    )


@check("writes-cheap", needs=["data-kept"])
def test_writes(postgres: Postgres, people: Population, rng: random.Random) -> None:
    """Drafting, sending and paying an invoice stays cheap: all indexes together may cost only so much."""
    cost = write_cost(postgres, [rng.choice(people.customers) for _ in range(LIVES)])
    expect(
        cost.ratio <= BOUND,
        expected=f"The life of an invoice (drafted, sent, paid) writes at most {BOUND:g} times the log that it writes "
        f"on a table with nothing but its constraints: {grouped(round(BOUND * cost.bare))} bytes.",
        got=f"{grouped(cost.bytes)} bytes, {cost.ratio:.1f} times as much: {cost.indexes} indexes take entries",
        because="An index takes a new entry nearly every time a row changes: on disk, in the log, on every replica.",
        did=psql(TRY_IT),
    )
