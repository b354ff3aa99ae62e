"""An index is paid for on every write: each must earn its keep, and together they must leave writes cheap."""

import random

from graders.check import check, expect
from graders.lesson_05.population import Population
from graders.lesson_05.usage import Usage
from graders.lesson_05.write_cost import BOUND, LIVES, write_cost
from graders.probes.indexes import guards, indexes_of, repeats
from graders.probes.plans import grouped
from graders.probes.postgres import Postgres

MB = 1024 * 1024


@check("no-idle-index")
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
        expected="each index serves at least one of the four reads, or forbids what must not be",
        got="\n".join(
            f"{index.name} {index.brief}: no plan went through it; "
            f"{index.size / MB:.1f} MB, {grouped(index.entries)} entries"
            for index in idle
        ),
        because="Nobody reads it, and still every write keeps it up to date, and every backup and restore carries it.",
        did="psql: SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE relname = 'invoices';",
    )


@check("no-repeated-index")
def test_repeated(postgres: Postgres) -> None:
    """No index says again what another one says already."""
    there = indexes_of(postgres, "invoices")
    pairs = [(index, other) for index in there for other in there if repeats(index, other)]
    expect(
        not pairs,
        expected="no two indexes where one can do all the work of the other",
        got="\n".join(
            f"{index.name} {index.brief}\n  repeats {other.name} {other.brief}" for index, other in pairs
        ),
        because="The shorter one answers nothing that the longer one can't, and each costs its share of every write.",
        did="psql: \\d invoices",
    )


@check("writes-cheap")
def test_writes(postgres: Postgres, people: Population, rng: random.Random) -> None:
    """Drafting, sending and paying an invoice stays cheap: all indexes together may cost only so much."""
    cost = write_cost(postgres, [rng.choice(people.customers) for _ in range(LIVES)])
    expect(
        cost.ratio <= BOUND,
        expected=f"an invoice's life (INSERT, sent, paid) writes at most {BOUND:g} times the log of a table "
        f"without further indexes: {grouped(round(BOUND * cost.bare))} bytes",
        got=f"{grouped(cost.bytes)} bytes, {cost.ratio:.1f} times as much, for {cost.indexes} indexes",
        because="Every index takes an entry for nearly every change of a row, in the log, on disk and on every replica.",
        did="psql: BEGIN; EXPLAIN (ANALYZE, WAL) UPDATE invoices SET status = 'void' WHERE id = 3; ROLLBACK;",
    )
