"""What each read costs, in rows and buffers: no more than what it returns, on a table of any size."""

import random
from functools import partial

from graders.check import check
from graders.lesson_05.bounds import LOOK_UP, balance_bound, expect_within, measure, page_bound
from graders.lesson_05.deep import expect_deep_page
from graders.lesson_05.flat import expect_flat, pairs
from graders.lesson_05.population import Population
from graders.lesson_05.reads import Reads
from graders.lesson_05.walks import LIMIT, LongWalk
from graders.lesson_05.warmth import END_OF_DATA
from graders.probes.plans import grouped
from graders.probes.postgres import Postgres


@check("first-page-bounded", needs=["data-kept"])
def test_first_page(reads: Reads, postgres: Postgres, people: Population, rng: random.Random) -> None:
    """A customer's newest invoices cost the same for the customer with 50 000 of them as for anybody."""
    whale = people.whale
    for customer, limit in ((people.ordinary(rng), 20), (people.second, 20), (whale, 20), (whale, LIMIT)):
        what = f"The first page ({limit} invoices) of a customer who has {grouped(customer.invoices)}"
        expect_within(
            measure(postgres, what, partial(reads.newest, customer, limit)),
            page_bound(limit),
            because="The work grows with the customer's history and not with the page: "
            "the best customers wait longest.",
        )


@check("deep-page-bounded", needs=["data-kept"])
def test_deep_page(whale_walk: LongWalk, reads: Reads, postgres: Postgres) -> None:
    """Page 500 costs what page 1 costs."""
    expect_deep_page(whale_walk, reads, postgres)


@check("overdue-bounded", needs=["data-kept"])
def test_overdue_cost(reads: Reads, postgres: Postgres, people: Population) -> None:
    """The overdue list reads only what it returns, for large tenants and small ones, first page and later."""
    for tenant in (people.tenants[0], people.tenants[-1]):
        second = reads.overdue(tenant, END_OF_DATA, 20).next_cursor
        for n, cursor in ((1, None), (2, second)):
            what = f"Page {n} of the overdue list (20 invoices) of tenant {tenant}"
            expect_within(
                measure(postgres, what, partial(reads.overdue, tenant, END_OF_DATA, 20, cursor)),
                page_bound(20),
                because="Of a hundred invoices, two are overdue. Whoever looks at the other ninety-eight to find "
                "them does so again on every request.",
            )


@check("number-bounded", needs=["data-kept"])
def test_number_cost(reads: Reads, postgres: Postgres, people: Population, rng: random.Random) -> None:
    """The look-up by number goes straight to its invoice."""
    for customer in (people.whale, people.ordinary(rng)):
        number = rng.choice(reads.newest(customer, LIMIT).items).number.swapcase()
        expect_within(
            measure(
                postgres,
                "Finding one invoice by its number",
                partial(reads.by_number, customer.tenant, number),
            ),
            LOOK_UP,
            because="The help desk asks this with a customer on the line, and the bank's import asks it ten "
            "thousand times a night.",
        )


@check("balance-bounded", needs=["data-kept"])
def test_balance_cost(reads: Reads, postgres: Postgres, people: Population, rng: random.Random) -> None:
    """A balance reads the open invoices of its customer and no others."""
    for customer in (people.whale, people.ordinary(rng)):
        what = (
            f"The balance of a customer with {grouped(customer.open)} open invoices "
            f"among {grouped(customer.invoices)}"
        )
        expect_within(
            measure(postgres, what, partial(reads.balance, customer)),
            balance_bound(customer.open),
            because="Paid invoices add nothing to what is owed, and there are more of them every month.",
        )


@check("cost-flat", needs=["data-kept"])
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
            measure(small, pair.what, partial(pair.few, small_reads)),
            measure(postgres, pair.what, partial(pair.many, reads)),
        )
