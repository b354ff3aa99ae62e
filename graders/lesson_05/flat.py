"""The same read on ten thousand rows and on a million: the pairs that may be compared, and how far apart they may be."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from graders.check import expect
from graders.lesson_05.bounds import Measured, cost_told, expect_statements
from graders.lesson_05.population import Population
from graders.lesson_05.reads import Customer, Reads
from graders.lesson_05.warmth import END_OF_DATA
from graders.probes.plans import grouped

# An index of a million rows is one or two levels deeper, and its rows lie further apart.
TIMES = 2
SLACK = 40


@dataclass(frozen=True)
class Pair:
    """One read on both databases, chosen so that both return as much."""

    what: str
    few: Callable[[Reads], object]
    many: Callable[[Reads], object]


def pairs(reads: Reads, people: Population, small_reads: Reads, small: Population) -> Iterator[Pair]:
    """The four reads; each returns the same number of rows on both databases."""
    yield Pair(
        "The first page (20 invoices) of the largest customer", _newest(small.whale), _newest(people.whale)
    )
    yield Pair(
        "The overdue list (20 invoices) of the largest tenant",
        _overdue(small.tenants[0]),
        _overdue(people.tenants[0]),
    )
    one, other = _with_three_open(small), _with_three_open(people)
    yield Pair("Finding one invoice by its number", _number(small_reads, one), _number(reads, other))
    yield Pair("The balance of a customer with 3 open invoices", _balance(one), _balance(other))


def expect_flat(few: Measured, many: Measured) -> None:
    """Hold the cost on the large table against the cost on the small one."""
    expect_statements(few)
    expect_statements(many)
    most_rows = TIMES * few.seen.rows_read + SLACK
    most_buffers = TIMES * few.seen.buffers + SLACK
    expect(
        many.seen.rows_read <= most_rows and many.seen.buffers <= most_buffers,
        expected=f"{many.what} reads on a million rows about what it reads on ten thousand: "
        f"{grouped(most_rows)} rows and {grouped(most_buffers)} buffers at most.",
        got=f"on a million rows: {cost_told(many.seen)}\non ten thousand: {cost_told(few.seen)}",
        because="The table grows every night. A read that grows with it is quick in the demo "
        "and an outage in the third year.",
        did=many.did,
    )


def _with_three_open(people: Population) -> Customer:
    """An ordinary customer, of nearly the same size on both databases."""
    return min((one for one in people.customers if one.open == 3), key=lambda one: abs(one.invoices - 50))


def _newest(customer: Customer) -> Callable[[Reads], object]:
    return lambda reads: reads.newest(customer, 20)


def _overdue(tenant: int) -> Callable[[Reads], object]:
    return lambda reads: reads.overdue(tenant, END_OF_DATA, 20)


def _number(reads: Reads, customer: Customer) -> Callable[[Reads], object]:
    number = reads.newest_one(customer).number
    return lambda reads: reads.by_number(customer.tenant, number)


def _balance(customer: Customer) -> Callable[[Reads], object]:
    return lambda reads: reads.balance(customer)
