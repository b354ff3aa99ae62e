"""Asking before measuring: statements prepared, plans settled, catalog caches filled, on every pooled connection."""

from collections.abc import Callable
from datetime import date

from graders.lesson_05.population import Population
from graders.lesson_05.reads import Reads
from graders.probes.postgres import Postgres

# A driver prepares a statement after five uses and Postgres settles its plan after five more; a pool has two or
# so connections that take turns.
ROUNDS = 22
END_OF_DATA = date(2026, 6, 30)

# A read that costs this much in a few requests is warm enough, and waiting for it teaches nobody.
FUSE = 100_000
FUSE_EVERY = 6


def warm(reads: Reads, postgres: Postgres, people: Population, rounds: int = ROUNDS) -> None:
    """Ask each of the four reads often, first pages and later ones. The answers don't matter here."""
    number = reads.newest(people.second, limit=1).items[0].number
    asked: tuple[Callable[[int], object], ...] = (
        lambda turn: _newest(reads, people, turn),
        lambda turn: _overdue(reads, people, turn),
        lambda turn: reads.by_number(people.second.tenant, number),
        lambda turn: reads.balance(people.customers[turn * 7 % len(people.customers)]),
    )
    for ask in asked:
        _often(ask, postgres, rounds)


def _often(ask: Callable[[int], object], postgres: Postgres, rounds: int) -> None:
    before = postgres.buffers_so_far()
    for turn in range(rounds):
        ask(turn)
        if turn % FUSE_EVERY == FUSE_EVERY - 1 and postgres.buffers_so_far() - before > FUSE:
            return


def _newest(reads: Reads, people: Population, turn: int) -> None:
    customer = people.customers[turn * 7 % len(people.customers)]
    first = reads.newest(customer, limit=5)
    reads.newest(customer, limit=5, cursor=first.next_cursor)


def _overdue(reads: Reads, people: Population, turn: int) -> None:
    tenant = people.tenants[turn % 5]
    first = reads.overdue(tenant, END_OF_DATA, limit=5)
    reads.overdue(tenant, END_OF_DATA, limit=5, cursor=first.next_cursor)
