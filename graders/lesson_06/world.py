"""What the database holds at this moment, by tenant: users to call as, records to ask for, ids that are nobody's."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString

from graders.check import Failure
from graders.lesson_06.callers import Caller
from graders.probes.api import Api
from graders.probes.identity import IdentityProvider
from graders.probes.other_programs import asked_by_others, written
from graders.probes.postgres import Postgres, psql

MINE, THEIRS = 1, 2

USERS: LiteralString = (
    "SELECT subject, role FROM public.users WHERE tenant_id = %s AND active ORDER BY users.id"
)
SPARE_USERS: LiteralString = (
    "SELECT users.id::text FROM public.users WHERE tenant_id = %s AND subject LIKE '%%-2' ORDER BY users.id"
)
BY_STATUS: LiteralString = """
    SELECT invoices.id::text FROM public.invoices WHERE tenant_id = %s AND status = %s AND paid_cents = 0 ORDER BY invoices.id
"""
PAID: LiteralString = """
    SELECT invoice_id::text, payments.id::text, number FROM public.payments JOIN public.invoices ON invoices.id = invoice_id
    WHERE tenant_id = %s ORDER BY payments.id
"""
CUSTOMERS: LiteralString = """
    SELECT customers.id::text, EXISTS (SELECT FROM public.invoices WHERE customer_id = customers.id) AS busy
    FROM public.customers WHERE tenant_id = %s ORDER BY customers.id
"""
TAKEN: LiteralString = """
    SELECT id::text FROM public.invoices UNION SELECT id::text FROM public.customers
    UNION SELECT id::text FROM public.users UNION SELECT id::text FROM public.payments
"""
# Everything that a request could change, a row for each record of a tenant.
RECORDS: LiteralString = """
    SELECT 'customer ' || id, concat_ws('|', name, email) FROM public.customers WHERE tenant_id = %s
    UNION ALL SELECT 'invoice ' || id, concat_ws('|', customer_id, number, status, total_cents, paid_cents, due_on)
    FROM public.invoices WHERE tenant_id = %s
    UNION ALL SELECT 'payment ' || payments.id, concat_ws('|', invoice_id, amount_cents)
    FROM public.payments JOIN public.invoices ON invoices.id = invoice_id WHERE tenant_id = %s
    UNION ALL SELECT 'user ' || id, concat_ws('|', subject, role, active) FROM public.users WHERE tenant_id = %s
"""
ALL_USERS: LiteralString = "SELECT id, role, active FROM public.users"
ALL_INVOICES: LiteralString = "SELECT id, status FROM public.invoices"
PUT_BACK_USER: LiteralString = "UPDATE public.users SET role = %s, active = %s WHERE id = %s RETURNING id"
PUT_BACK_INVOICE: LiteralString = "UPDATE public.invoices SET status = %s WHERE id = %s RETURNING id"
NUMBERED: LiteralString = """
    INSERT INTO public.invoices (tenant_id, customer_id, number, currency, total_cents)
    SELECT tenant_id, min(customer_id), %s, min(currency), 700 FROM public.invoices WHERE tenant_id = %s GROUP BY tenant_id
"""
BY_NUMBER: LiteralString = (
    "SELECT invoices.id::text FROM public.invoices WHERE tenant_id = %s AND number = %s"
)
NEW_USER: LiteralString = (
    "INSERT INTO public.users (tenant_id, subject, role) VALUES (%s, %s, %s) RETURNING id::text"
)
REVOKE: LiteralString = "UPDATE public.users SET active = false WHERE id = %s RETURNING id"


def gone(what: str) -> Failure:
    """Records that no request of ours has changed are not there any more."""
    return Failure(
        expected=f"The database has {what}, as it had at the start.",
        got="there are none left",
        because="Records that nobody asked to change belong to the customers.",
        did=psql("SELECT tenant_id, status, count(*) FROM invoices GROUP BY 1, 2"),
    )


@dataclass
class World:
    """The dataset's two tenants. Records that requests use up are given out once each."""

    api: Api
    postgres: Postgres
    provider: IdentityProvider
    draw: random.Random = field(default_factory=random.Random)
    _begun: dict[tuple[str, int], tuple[Any, ...]] = field(default_factory=dict)
    _given: dict[tuple[int, str], list[str]] = field(default_factory=dict)

    def caller(self, role: str, tenant: int = MINE) -> Caller:
        """The dataset's first user of that role."""
        found = [subject for subject, its in self.rows(USERS, [tenant]) if its == role]
        if not found:
            raise gone(f"{role}s of tenant {tenant}")
        return Caller(self.api, self.provider, found[0], role, tenant)

    def new_user(self, role: str, tenant: int = MINE) -> tuple[str, Caller]:
        """A user whom nobody knows beforehand, with the id of the row."""
        subject = f"u-{self.draw.randrange(10**12):012}"
        [(id,)] = self.write(NEW_USER, [tenant, subject, role])
        return id, Caller(self.api, self.provider, subject, role, tenant, shown_as="octavia-viewer")

    def nobody(self) -> Caller:
        """Somebody whom the provider knows and the table does not."""
        return Caller(self.api, self.provider, f"n-{self.draw.randrange(10**12):012}", "viewer", MINE)

    def revoked(self, role: str) -> Caller:
        id, user = self.new_user(role)
        self.write(REVOKE, [id])
        return user

    def draft(self, tenant: int = MINE) -> str:
        return self._take(tenant, "draft", lambda: self._ids(BY_STATUS, tenant, "draft"))

    def sent(self, tenant: int = MINE) -> str:
        """A sent invoice for which nothing was paid."""
        return self._take(tenant, "sent", lambda: self._ids(BY_STATUS, tenant, "sent"))

    def idle_customer(self, tenant: int = MINE) -> str:
        """A customer without invoices."""
        return self._take(tenant, "idle", lambda: [id for id, busy in self._customers(tenant) if not busy])

    def customer(self, tenant: int = MINE) -> str:
        """A customer with invoices."""
        return str(self._one_of([id for id, busy in self._customers(tenant) if busy], "customer"))

    def spare_user(self, tenant: int = MINE) -> str:
        """The id of a user whom no check calls as."""
        return str(self._one_of(self._ids(SPARE_USERS, tenant), "user"))

    def payment(self, tenant: int = MINE) -> tuple[str, str, str]:
        """A payment: the ids of its invoice and of itself, and the invoice's number."""
        invoice, payment, number = self._one_of(self.rows(PAID, [tenant]), "payment")
        return str(invoice), str(payment), str(number)

    def paid_first_and_last(self) -> tuple[str, str]:
        """The invoices of ours with payments that have the lowest id and the highest."""
        found = sorted({int(invoice) for invoice, _, _ in self.rows(PAID, [MINE])})
        if not found:
            raise gone("payments")
        return str(found[0]), str(found[-1])

    def only_theirs_number(self) -> str:
        """A number that an invoice of the other tenant has and none of ours, with a slash in it as they may have."""
        number = f"T/{self.draw.randrange(10**9)}"
        self.write(NUMBERED, [number, THEIRS])
        return number

    def id_of_number(self, tenant: int, number: str) -> str:
        found = self._ids(BY_NUMBER, tenant, number)
        if not found:
            raise gone(f"an invoice {number} of tenant {tenant}")
        return found[0]

    def nobodys_id(self) -> str:
        """An id of the same form that no record of any kind has."""
        taken = {id for (id,) in self.rows(TAKEN)}
        return self.draw.choice([str(id) for id in range(5000, 10_000) if str(id) not in taken])

    def state(self, tenant: int) -> Mapping[str, str]:
        """Everything that the tenant has: what a record says, by its kind and id."""
        return dict(self.rows(RECORDS, [tenant] * 4))

    def put_back(self) -> None:
        """What a faulty service changed unasked is as it was at the start, so that other checks find their users."""
        if not self._begun:
            self._begun = self._changeable()
        now = self._changeable()
        for kind, id in self._begun.keys() & now.keys():
            was = self._begun[kind, id]
            if now[kind, id] == was:
                continue
            if kind == "user":
                self.write(PUT_BACK_USER, [*was, id])
            elif not any(str(id) in given for given in self._given.values()):
                self.write(PUT_BACK_INVOICE, [*was, id])

    def _changeable(self) -> dict[tuple[str, int], tuple[Any, ...]]:
        users = {("user", id): tuple(rest) for id, *rest in self.rows(ALL_USERS)}
        return users | {("invoice", id): tuple(rest) for id, *rest in self.rows(ALL_INVOICES)}

    def rows(self, sql: LiteralString, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What the tables hold. Raises Failure where they are not those of the contract."""
        with asked_by_others():
            return self.postgres.rows(sql, parameters)

    def write(self, sql: LiteralString, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """As another program writes. Raises Failure where the tables don't take what the contract promises."""
        return written(self.postgres, sql, parameters)

    def _customers(self, tenant: int) -> list[tuple[Any, ...]]:
        return self.rows(CUSTOMERS, [tenant])

    def _ids(self, sql: LiteralString, *parameters: object) -> list[str]:
        return [id for (id,) in self.rows(sql, parameters)]

    def _one_of(self, found: Sequence[Any], what: str) -> Any:
        if not found:
            raise gone(f"{what}s")
        return self.draw.choice(found)

    def _take(self, tenant: int, kind: str, ids: Callable[[], list[str]]) -> str:
        given = self._given.setdefault((tenant, kind), [])
        left = [id for id in ids() if id not in given]
        if not left:
            raise gone(f"{kind}s of tenant {tenant}")
        given.append(self.draw.choice(left))
        return given[-1]
