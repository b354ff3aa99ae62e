"""Who is there: tenants, customers and invoices of the dataset, looked up as they are needed."""

import random
from dataclasses import dataclass

from graders.check import Failure
from graders.probes.postgres import Postgres

FREE = """
    SELECT customers.id::text FROM public.customers
    WHERE tenant_id = %s AND NOT EXISTS (SELECT FROM public.invoices WHERE customer_id = customers.id)
    ORDER BY customers.id
"""
OF_STATUS = """
    SELECT id::text, customer_id::text, number, total_cents FROM public.invoices
    WHERE tenant_id = %s AND status = %s AND paid_cents IN (0, total_cents) ORDER BY invoices.id
"""
WITH_MANY = """
    SELECT customer_id::text FROM public.invoices WHERE tenant_id = %s
    GROUP BY customer_id HAVING count(*) > 40 ORDER BY invoices.customer_id LIMIT 1
"""


@dataclass(frozen=True)
class Invoice:
    """What a check needs to know of an invoice of the dataset."""

    id: str
    customer_id: str
    number: str
    total_cents: int


@dataclass(frozen=True)
class Population:
    """The rows of the dataset as a check draws from them: each time other ones, the same ones for the same seed."""

    postgres: Postgres
    tenants: tuple[int, ...]

    def currency(self, tenant: int) -> str:
        return str(self.postgres.value("SELECT currency FROM public.tenants WHERE id = %s", [tenant]))

    def tenant(self, draw: random.Random) -> int:
        return draw.choice(self.tenants)

    def other(self, tenant: int) -> int:
        return next(one for one in self.tenants if one != tenant)

    def free_customer(self, tenant: int, draw: random.Random) -> str:
        """A customer without invoices."""
        return str(draw.choice(self.postgres.rows(FREE, [tenant]))[0])

    def payment(self, paid: Invoice) -> str:
        """The id of the first payment of a paid invoice."""
        found = "SELECT id::text FROM public.payments WHERE invoice_id = %s ORDER BY payments.id LIMIT 1"
        return str(self.postgres.value(found, [int(paid.id)]))

    def two_free_customers(self, tenant: int, draw: random.Random) -> tuple[str, str]:
        """Two different ones without invoices."""
        one, other = draw.sample(self.postgres.rows(FREE, [tenant]), 2)
        return str(one[0]), str(other[0])

    def first_free_customer(self, tenant: int) -> str:
        """The one without invoices that comes first in the list."""
        return str(self.postgres.rows(FREE, [tenant])[0][0])

    def invoice(self, tenant: int, status: str, draw: random.Random) -> Invoice:
        """An invoice of this status: nothing paid yet, unless it is paid."""
        return draw.choice(self._invoices(tenant, status))

    def two_invoices(self, tenant: int, status: str, draw: random.Random) -> tuple[Invoice, Invoice]:
        """Two different ones of this status, as `invoice` has them."""
        one, other = draw.sample(self._invoices(tenant, status, 2), 2)
        return one, other

    def _invoices(self, tenant: int, status: str, wanted: int = 1) -> list[Invoice]:
        rows = self.postgres.rows(OF_STATUS, [tenant, status])
        if len(rows) < wanted:
            raise Failure(
                expected="Invoices stay what they were until somebody asks for a change.",
                got=f"no {status} invoice of tenant {tenant} is left",
                because="Rows that others wrote are not the service's to change.",
            )
        return [Invoice(*row) for row in rows]

    def customer_with_many(self, tenant: int) -> str:
        """The customer of the tenant with more than two pages of invoices."""
        return str(self.postgres.value(WITH_MANY, [tenant]))


def population_of(postgres: Postgres) -> Population:
    rows = postgres.rows("SELECT id FROM public.tenants ORDER BY id")
    return Population(postgres, tuple(int(id) for (id,) in rows))
