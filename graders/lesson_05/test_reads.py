"""What each read costs, counted in rows and buffers: no more than what it returns, on a table of any size."""

import random

from graders.check import check, expect
from graders.lesson_05.bounds import LOOK_UP, balance_bound, cost_told, expect_statements, expect_within, measure, page_bound
from graders.lesson_05.flat import expect_flat, pairs
from graders.lesson_05.oracle import Oracle
from graders.lesson_05.population import Population
from graders.lesson_05.reads import Reads
from graders.lesson_05.walks import LIMIT, STRETCH, LongWalk
from graders.lesson_05.warmth import END_OF_DATA
from graders.probes.plans import grouped
from graders.probes.postgres import Postgres


@check("first-page-bounded")
def test_first_page(reads: Reads, postgres: Postgres, people: Population, rng: random.Random) -> None:
    """A customer's newest invoices cost the same for the customer with 50 000 of them as for anybody."""
    cases = ((people.ordinary(rng), 20), (people.second, 20), (people.whale, 20), (people.whale, LIMIT))
    for customer, limit in cases:
        what = f"The newest {limit} of a customer's {grouped(customer.invoices)} invoices"
        measured = measure(postgres, what, lambda: reads.newest(customer, limit))  # noqa: B023
        expect_within(
            measured,
            page_bound(limit),
            because="What is read and thrown away grows with the customer: the best customers wait longest.",
        )


@check("deep-page-bounded")
def test_deep_page(whale_walk: LongWalk, reads: Reads, postgres: Postgres) -> None:
    """Page 500 costs what page 1 costs."""
    at = min(len(whale_walk.pages), 500)
    first, deep = (
        measure(postgres, f"Page {n}", lambda: reads.newest(whale_walk.customer, LIMIT, cursor))  # noqa: B023
        for n, cursor in ((1, None), (at, whale_walk.pages[at - 1].cursor))
    )
    expect_statements(deep)
    bound = page_bound(LIMIT)
    cheap = deep.seen.rows_read <= bound.rows and max(deep.seen.buffers, whale_walk.late_cost) <= bound.buffers
    expect(
        cheap and (whale_walk.complete or at == 500),
        expected=f"page {at} costs what page 1 costs: at most {bound.rows} rows and {bound.buffers} buffers",
        got=f"page 1: {cost_told(first.seen)}\npage {at}: {cost_told(deep.seen)}\n"
        f"on the way there, the last {STRETCH} pages took {grouped(whale_walk.late_cost)} buffers each"
        + ("" if at == 500 else "; the walk was given up"),
        because="A full export walks every page. When a page costs what lies before it, the whole costs the square.",
        did=deep.did,
    )


@check("overdue-bounded")
def test_overdue_cost(reads: Reads, postgres: Postgres, people: Population) -> None:
    """The overdue list reads only what it returns, for large tenants and small ones, first page and later."""
    for tenant in (people.tenants[0], people.tenants[-1]):
        cursor = None
        for n in (1, 2):
            what = f"Page {n} of tenant {tenant}'s overdue list, 20 invoices,"
            page = reads.overdue(tenant, END_OF_DATA, 20, cursor)
            measured = measure(postgres, what, lambda: reads.overdue(tenant, END_OF_DATA, 20, cursor))  # noqa: B023
            expect_within(
                measured,
                page_bound(20),
                because="Nearly every invoice is paid. Who looks at all of them to find the few that are not, waits for ever.",
            )
            cursor = page.next_cursor


@check("number-bounded")
def test_number_cost(
    reads: Reads, postgres: Postgres, people: Population, oracle: Oracle, rng: random.Random
) -> None:
    """The look-up by number goes straight to its invoice."""
    for customer in (people.whale, people.ordinary(rng)):
        number = rng.choice(oracle.newest(customer)).number.swapcase()
        measured = measure(postgres, "One invoice by its number", lambda: reads.by_number(customer.tenant, number))  # noqa: B023
        expect_within(
            measured,
            LOOK_UP,
            because="It is asked on every call of every customer; each miss of the index reads the whole table.",
        )


@check("balance-bounded")
def test_balance_cost(reads: Reads, postgres: Postgres, people: Population, rng: random.Random) -> None:
    """A balance reads the open invoices of its customer and no others."""
    for customer in (people.whale, people.ordinary(rng)):
        what = f"The balance over {grouped(customer.open)} open invoices, of {grouped(customer.invoices)} in all,"
        measured = measure(postgres, what, lambda: reads.balance(customer))  # noqa: B023
        expect_within(
            measured,
            balance_bound(customer.open),
            because="Paid invoices only ever grow in number, and they add nothing to what is owed.",
        )


@check("cost-flat")
def test_flat(
    reads: Reads,
    postgres: Postgres,
    people: Population,
    small_reads: Reads,
    small: Postgres,
    small_people: Population,
) -> None:
    """Each read costs the same on a million rows as on ten thousand."""
    for pair in pairs(reads, people, small_reads, small_people):
        expect_flat(
            measure(small, pair.what, lambda: pair.few(small_reads)),  # noqa: B023
            measure(postgres, pair.what, lambda: pair.many(reads)),  # noqa: B023
        )
