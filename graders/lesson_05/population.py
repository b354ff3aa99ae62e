"""Who is in the dataset: the largest customer, others of every size, and tenants large and small."""

import random
from collections import Counter
from dataclasses import dataclass
from typing import LiteralString

from psycopg.errors import DataError, ProgrammingError

from graders.check import expect, fail
from graders.lesson_05.reads import Customer
from graders.probes.plans import grouped
from graders.probes.postgres import Postgres, psql

CUSTOMERS = """
    SELECT customer_id, tenant_id, count(*), count(*) FILTER (WHERE status = 'sent')
    FROM public.invoices GROUP BY customer_id, tenant_id ORDER BY count(*) DESC, customer_id
"""


# What the dataset holds: invoices, and a fingerprint of every 97th of them. A new dataset.sql needs new ones.
SEEDED = {"billing": (1_000_000, -22_746_822_049), "billing_small": (10_000, 5_125_023_433)}
FINGERPRINT = """
    SELECT count(*),
           sum(hashtext(concat_ws('|', id, tenant_id, customer_id, number, status, currency, total_cents, paid_cents,
                                  due_on, extract(epoch FROM created_at)))) FILTER (WHERE id %% 97 = 0)
    FROM public.invoices WHERE id <= %s
"""
SOME: LiteralString = "SELECT count(*) FROM public.invoices WHERE id = ANY(%s)"
SAMPLE = 200
BELONGS = "A migration changes how rows are found. What they say belongs to the customers."
PLAIN_TABLE = """
    SELECT relkind = 'r' AND NOT relrowsecurity FROM pg_class WHERE oid = to_regclass('public.invoices')
"""


@dataclass(frozen=True)
class Population:
    """Customers with invoices, and tenants with open ones; the largest first."""

    customers: tuple[Customer, ...]
    tenants: tuple[int, ...]

    @property
    def whale(self) -> Customer:
        """The one customer that dwarfs all others."""
        return self.customers[0]

    @property
    def second(self) -> Customer:
        """The next largest, whose list is still many pages long."""
        return self.customers[1]

    def ordinary(self, draw: random.Random, open_invoices: int = 1) -> Customer:
        """Somebody with a few dozen invoices, at least so many of them open."""
        return draw.choice(
            [one for one in self.customers if 25 <= one.invoices <= 80 and one.open >= open_invoices]
        )

    def medium(self, draw: random.Random) -> Customer:
        """Somebody with a few hundred invoices."""
        return draw.choice([one for one in self.customers[2:] if 200 <= one.invoices <= 400])

    def sample(self) -> tuple[Customer, ...]:
        """Customers of every size, for what must hold for all."""
        count = len(self.customers)
        return tuple(
            self.customers[at] for at in sorted({0, 1, 2, 9, *range(0, count, max(1, count // 8)), count - 1})
        )


def population_of(postgres: Postgres) -> Population:
    customers = tuple(Customer(*row) for row in postgres.rows(CUSTOMERS))
    open_invoices = Counter[int]()
    for customer in customers:
        open_invoices[customer.tenant] += customer.open
    return Population(customers, tuple(tenant for tenant, count in open_invoices.most_common() if count))


def expect_kept(postgres: Postgres) -> None:
    """Production's invoices are all there, unchanged, in a plain table that shows everybody the same."""
    invoices, fingerprint = SEEDED[postgres.database]
    try:
        count, found = postgres.row(FINGERPRINT, [invoices])
    except (DataError, ProgrammingError) as error:
        fail(
            expected=f"After the release, {_all_there(invoices)}",
            got=str(error).strip(),
            because=BELONGS,
            did=psql("SELECT count(*) FROM invoices", postgres.database),
        )
    expect(
        postgres.catalog(PLAIN_TABLE) == [(True,)] and (count, found) == (invoices, fingerprint),
        expected=f"After the release, {_all_there(invoices)}",
        got=f"{grouped(count)} of them are there, or some are not what they were",
        because=BELONGS,
        did=psql("SELECT count(*) FROM invoices", postgres.database),
    )


def expect_there(postgres: Postgres) -> None:
    """Production's invoices are still there while reads are measured: any 200 of them, drawn anew each time."""
    invoices, _ = SEEDED[postgres.database]
    ids = random.SystemRandom().sample(range(1, invoices + 1), SAMPLE)
    count = postgres.value(SOME, [ids])
    expect(
        count == SAMPLE,
        expected=f"While the service runs, {_all_there(invoices)}",
        got=f"of {SAMPLE} that we looked for, {SAMPLE - count} are gone",
        because=BELONGS,
        did=psql("SELECT count(*) FROM invoices", postgres.database),
    )


def _all_there(invoices: int) -> str:
    return f"the table invoices holds the {grouped(invoices)} invoices that production has."
