"""The service with its surroundings, as one check sees it: a tenant of the check's own, and workers that it may end."""

import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, LiteralString

from graders.probes.api import Answer, Api
from graders.probes.faults import Gates
from graders.probes.other_programs import asked_by_others, written
from graders.probes.postgres import Postgres
from graders.probes.service import Operated, Process
from graders.probes.upstreams import HOLD, HOLD_AND_WORK, WORK, Call, Step, Upstreams

TENANT: LiteralString = "INSERT INTO public.tenants (name, currency) VALUES ('A tenant', %s) RETURNING id"
CUSTOMER: LiteralString = (
    "INSERT INTO public.customers (tenant_id, name, email) VALUES (%s, %s, %s) RETURNING id::text"
)
INVOICE: LiteralString = """
    INSERT INTO public.invoices (tenant_id, customer_id, number, status, currency, total_cents, due_on)
    SELECT %(tenant)s, %(customer)s, %(number)s, %(status)s, currency, %(cents)s,
           CASE WHEN %(status)s = 'sent' THEN date '2026-03-31' END
    FROM public.tenants WHERE id = %(tenant)s RETURNING id::text
"""
LINE: LiteralString = """
    INSERT INTO public.invoice_lines (invoice_id, position, description, quantity, unit_price_cents)
    VALUES (%s, 1, 'Services as agreed', 1, %s) RETURNING position
"""
CURRENCIES = ("EUR", "USD", "GBP", "CHF")

# One `web` process is told otherwise than the others: where the queue is full, and how old a summary may be.
ODD_LIMIT, ODD_AGE = 3, 1


@dataclass(frozen=True)
class Invoice:
    """A row that the check has written. `email`: of its customer, to whom its mails go."""

    id: str
    number: str
    cents: int
    customer: str
    email: str
    currency: str

    @property
    def path(self) -> str:
        return f"/v1/invoices/{self.id}"


class Coming:
    """One more `web` that begins to start; whoever asks for it first waits until it is ready."""

    def __init__(self, service: Operated, environment: Mapping[str, str] | None = None) -> None:
        self._service = service
        self._process = service.start("web", environment, awaited=False)

    @cached_property
    def process(self) -> Process:
        """Raises Failure where it does not become ready."""
        self._service.await_ready(self._process)
        return self._process


@dataclass
class World:
    """What a check has in its hands. `api` and `other` are two `web` processes of the same service."""

    api: Api
    second: Coming
    client: Callable[[str], Api]
    service: Operated
    postgres: Postgres
    upstreams: Upstreams
    gates: Gates
    draw: random.Random = field(default_factory=random.Random)
    tenant: int = 0
    currency: str = "EUR"
    tenants: list[int] = field(default_factory=list)  # of the checks so far
    _held: list[Invoice] = field(default_factory=list)

    @cached_property
    def other(self) -> Api:
        return self.client(self.second.process.url)

    def hold(self, invoice: Invoice, *, works: bool = False, then: Step = WORK) -> None:
        """The next call about the invoice, mail or charge, is answered by nothing until `let_go`."""
        step = HOLD_AND_WORK if works else HOLD
        self.script(invoice, step, then=then)
        self._held.append(invoice)

    def script(self, invoice: Invoice, *steps: Step, then: Step = WORK) -> None:
        """What the next calls about the invoice meet, its mails and its charges each."""
        self.upstreams.mail.script(invoice.email, *steps, then=then)
        self.upstreams.payments.script(invoice.number, *steps, then=then)

    def let_go(self) -> None:
        """Whoever is held for the check is let go, without an answer; nobody is held any more."""
        for invoice in self._held:
            self.script(invoice)
        self.upstreams.mail.release(*(invoice.email for invoice in self._held), "")
        self.upstreams.payments.release(*(invoice.number for invoice in self._held), "")
        self._held.clear()

    def mails(self, invoice: Invoice) -> tuple[Call, ...]:
        return self.upstreams.mail.calls(invoice.email)

    def charges(self, invoice: Invoice) -> tuple[Call, ...]:
        return self.upstreams.payments.calls(invoice.number)

    def renew(self, draw: random.Random) -> None:
        """A tenant that no other check has seen."""
        self.draw = draw
        self.currency = draw.choice(CURRENCIES)
        [(self.tenant,)] = self.write(TENANT, [self.currency])
        self.tenants.append(self.tenant)

    def customer(self) -> tuple[str, str]:
        """A new customer: id and email."""
        email = f"c-{secrets.token_hex(6)}@customer.example"
        [(id,)] = self.write(CUSTOMER, [self.tenant, f"Customer {email[2:8]}", email])
        return str(id), email

    def invoice(
        self, status: str = "sent", cents: int = 0, customer: tuple[str, str] | None = None
    ) -> Invoice:
        """A new invoice; of a new customer unless one is given."""
        id, email = customer or self.customer()
        number, cents = f"R-{secrets.token_hex(6)}", cents or self.draw.randrange(5_000, 90_000)
        row = {"tenant": self.tenant, "customer": id, "number": number, "status": status, "cents": cents}
        [(invoice,)] = self.write(INVOICE, row)
        self.write(LINE, [invoice, cents])
        return Invoice(str(invoice), number, cents, id, email, self.currency)

    def get(self, path: str, **params: str | int) -> Answer:
        return self.api.get(path, tenant=self.tenant, params=params or None)

    def post(self, path: str, body: object = None, api: Api | None = None) -> Answer:
        return (api or self.api).post(path, tenant=self.tenant, json=body)

    def workers(self, number: int = 1) -> Sequence[Process]:
        """So many workers at least, as they run in production: whoever has ended is started again."""
        while len(running := self.service.processes("worker")) < number:
            self.service.start("worker")
        return running

    def no_worker(self) -> None:
        """Every worker is gone, at once and without a word."""
        for worker in self.service.processes("worker"):
            worker.kill()

    def rows(self, sql: LiteralString, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What the tables hold. Raises Failure where they are not those of the contract."""
        with asked_by_others():
            return self.postgres.rows(sql, parameters)

    def write(self, sql: LiteralString, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """As another program writes. Raises Failure where the tables don't take what the contract promises."""
        return written(self.postgres, sql, parameters)

    def paid(self, invoice: Invoice) -> tuple[int, int]:
        """The invoice's `paid_cents`, and how many payments it has."""
        sql: LiteralString = """
            SELECT paid_cents, (SELECT count(*) FROM public.payments WHERE invoice_id = invoices.id)
            FROM public.invoices WHERE id = %s
        """
        [(cents, payments)] = self.rows(sql, [invoice.id])
        return int(cents), int(payments)
