"""Which index serves which read: the plans seen while each of them was asked for customers and tenants of every size."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from graders.lesson_05.population import Population
from graders.lesson_05.reads import Reads
from graders.lesson_05.warmth import END_OF_DATA
from graders.lesson_05.writes import live
from graders.probes.plans import Plan
from graders.probes.postgres import Postgres

READS = ("newest", "overdue", "number", "balance")


@dataclass(frozen=True)
class Usage:
    """The plans of each promised read, and of the writes, by short name."""

    plans: Mapping[str, tuple[Plan, ...]]

    def indexes(self, name: str) -> frozenset[str]:
        """The indexes that this read went through at least once."""
        return frozenset(index for plan in self.plans[name] for index in plan.indexes())

    def serving(self, index: str) -> tuple[str, ...]:
        """The reads, or "writes", that went through the index."""
        return tuple(name for name in self.plans if index in self.indexes(name))


def usage_of(reads: Reads, postgres: Postgres, people: Population) -> Usage:
    """Ask for everything that is promised, one kind after the other, and keep the plans."""
    numbers = [(one.tenant, reads.newest_one(one).number.upper()) for one in people.sample()]
    asked: dict[str, Callable[[], None]] = {
        "newest": lambda: _newest(reads, people),
        "overdue": lambda: _overdue(reads, people),
        "number": lambda: _number(reads, numbers),
        "balance": lambda: _balance(reads, people),
        "writes": lambda: live(reads.api, people.customers[len(people.customers) // 2]),
    }
    plans = {}
    for name, ask in asked.items():
        with postgres.observe() as seen:
            ask()
        plans[name] = seen.plans
    return Usage(plans)


def _newest(reads: Reads, people: Population) -> None:
    for customer in people.sample():
        first = reads.newest(customer, limit=20)
        if first.next_cursor:
            reads.newest(customer, limit=100, cursor=first.next_cursor)


def _overdue(reads: Reads, people: Population) -> None:
    for tenant in (*people.tenants[:3], people.tenants[len(people.tenants) // 2], people.tenants[-1]):
        first = reads.overdue(tenant, END_OF_DATA, limit=20)
        if first.next_cursor:
            reads.overdue(tenant, END_OF_DATA, limit=100, cursor=first.next_cursor)


def _number(reads: Reads, numbers: Sequence[tuple[int, str]]) -> None:
    for tenant, number in numbers:
        reads.by_number(tenant, number)


def _balance(reads: Reads, people: Population) -> None:
    for customer in people.sample():
        reads.balance(customer)
