"""Asking before measuring: statements prepared, plans settled, catalog caches filled, on every pooled connection."""

from datetime import date

from graders.lesson_05.oracle import Oracle
from graders.lesson_05.population import Population
from graders.lesson_05.reads import Reads

# A driver prepares a statement after five uses and Postgres settles its plan after five more; a pool has two or
# so connections that take turns.
ROUNDS = 24
END_OF_DATA = date(2026, 6, 30)


def warm(reads: Reads, people: Population, oracle: Oracle) -> None:
    """Ask each of the four reads often. The answers don't matter here."""
    for turn in range(ROUNDS):
        customer = people.customers[turn * 7 % len(people.customers)]
        tenant = people.tenants[turn % 5]
        first = reads.newest(customer, limit=5)
        reads.newest(customer, limit=5, cursor=first.next_cursor)
        late = reads.overdue(tenant, END_OF_DATA, limit=5)
        reads.overdue(tenant, END_OF_DATA, limit=5, cursor=late.next_cursor)
        reads.by_number(customer.tenant, first.items[0].number)
        reads.balance(customer)
