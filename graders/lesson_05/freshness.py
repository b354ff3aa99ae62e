"""One thing after the other happens to an invoice; after each, the four reads are held against the tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, LiteralString

from graders.check import expect
from graders.lesson_05 import writes
from graders.lesson_05.differences import fields_that_differ
from graders.lesson_05.oracle import Oracle
from graders.lesson_05.other_programs import refused_rows_are_failures
from graders.lesson_05.reads import Customer, Reads
from graders.lesson_05.shapes import Balance, Invoice
from graders.probes.api import Api
from graders.probes.postgres import Postgres, psql

# Long before any other due date, so that the invoice leads its tenant's overdue list.
DUE_ON = "2001-01-01"
AS_OF = date(2001, 2, 1)

IMPORT: LiteralString = """
    INSERT INTO public.invoices (tenant_id, customer_id, number, status, currency, total_cents, paid_cents, due_on)
    SELECT tenant_id, %s, %s, 'sent', currency, 700, 0, %s::date FROM public.invoices WHERE id = %s
    RETURNING id::text
"""
SETTLE: LiteralString = "UPDATE public.invoices SET status = 'paid', paid_cents = total_cents WHERE id = %s"


@dataclass
class Case:
    """One customer and the invoices that the scenes are about. `tag` begins their numbers."""

    reads: Reads
    api: Api
    postgres: Postgres
    oracle: Oracle
    customer: Customer
    tag: str
    ids: list[str] = field(default_factory=list)

    @property
    def number(self) -> str:
        """The number of the newest invoice; before there is one, the number that it will have."""
        return f"{self.tag}-{max(1, len(self.ids))}"


@dataclass(frozen=True)
class Asked:
    """One read: the answer and the right one. Lists in the order of ids: here it is about who is in them."""

    read: str
    right: Any
    got: Any
    did: str

    def difference(self) -> str:
        if isinstance(self.right, list):
            return _in_lists(self.right, self.got)
        if self.right is None or self.got is None:
            return "an invoice" if self.got else "status 404"
        if isinstance(self.right, Balance):
            return (
                f"{self.got.open_invoices} open invoices and {self.got.outstanding_cents} cents instead of "
                f"{self.right.open_invoices} and {self.right.outstanding_cents}"
            )
        return f"invoice {self.right.id}: {fields_that_differ(self.right, self.got)}"


@dataclass(frozen=True)
class Scene:
    """Something that happens to the newest invoice, and its row afterwards."""

    what: str
    happens: Callable[[Case], None]
    status: str
    paid_cents: int


def expect_fresh(case: Case, scene: Scene) -> None:
    """Ask for all four, let something happen, ask again: the table and every answer must know of it."""
    what = scene.what
    _ask_all(case)
    scene.happens(case)
    _expect_written(case, scene)
    for asked in _ask_all(case):
        expect(
            asked.got == asked.right,
            expected=f"{what}: asked right after that, {asked.read} knows of it.",
            got=asked.difference(),
            because="With an answer from before the write, people pay twice or are reminded of what they paid.",
            did=asked.did,
        )


def _expect_written(case: Case, scene: Scene) -> None:
    """Answers that agree with a table in which nothing happened are right about nothing."""
    row = case.oracle.by_number(case.customer.tenant, case.number)
    expect(
        row is not None and (row.status, row.paid_cents) == (scene.status, scene.paid_cents),
        expected=f"{scene.what}: right after that its row in invoices is {scene.status}, "
        f"{scene.paid_cents} cents of it paid.",
        got=f"it is {row.status}, {row.paid_cents} cents of it paid" if row else "there is no such row",
        because="Other programs work with what the table says. A write that is answered and not kept is money lost.",
        did=psql(f"SELECT status, paid_cents FROM invoices WHERE number = '{case.number}'"),  # noqa: S608
    )


def _ask_all(case: Case) -> list[Asked]:
    reads, oracle, customer, steps = case.reads, case.oracle, case.customer, case.postgres.steps
    newest = sorted(reads.newest(customer, limit=100).items)
    asked = [Asked("the customer's list", sorted(oracle.newest(customer)[:100]), newest, steps.last())]
    overdue = sorted(reads.overdue(customer.tenant, AS_OF).items)
    right = sorted(oracle.overdue(customer.tenant, AS_OF)[:20])
    asked.append(Asked("the overdue list", right, overdue, steps.last()))
    found = reads.by_number(customer.tenant, case.number)
    by_number = oracle.by_number(customer.tenant, case.number)
    asked.append(Asked("the look-up by number", by_number, found, steps.last()))
    balance = reads.balance(customer)
    return [*asked, Asked("the balance", oracle.balance(customer), balance, steps.last())]


def _in_lists(right: Sequence[Invoice], got: Sequence[Invoice]) -> str:
    there, given = {one.id: one for one in right}, {one.id: one for one in got}
    if missing := there.keys() - given.keys():
        return f"invoice {min(missing)} is not in it"
    if added := given.keys() - there.keys():
        return f"invoice {min(added)} is still in it"
    stale = next((id for id in there if there[id] != given[id]), None)
    return (
        f"invoice {stale}: {fields_that_differ(there[stale], given[stale])}" if stale else "an invoice twice"
    )


def _draft(case: Case) -> None:
    case.ids.append(writes.draft(case.api, case.customer, cents=900, number=f"{case.tag}-1").id)


def _send(case: Case) -> None:
    writes.send(case.api, case.customer.tenant, case.ids[0], DUE_ON)


def _pay_part(case: Case) -> None:
    writes.pay(case.api, case.customer.tenant, case.ids[0], 400)


def _pay_rest(case: Case) -> None:
    writes.pay(case.api, case.customer.tenant, case.ids[0], 500)


def _send_another(case: Case) -> None:
    another = writes.draft(case.api, case.customer, number=f"{case.tag}-2").id
    writes.send(case.api, case.customer.tenant, another, DUE_ON)
    case.ids.append(another)


def _void(case: Case) -> None:
    writes.void(case.api, case.customer.tenant, case.ids[1])


def _imported(case: Case) -> None:
    row = [case.customer.id, f"{case.tag}-3", DUE_ON, case.ids[0]]
    with refused_rows_are_failures():
        case.ids += [id for (id,) in case.postgres.write(IMPORT, row)]


def _settled(case: Case) -> None:
    with refused_rows_are_failures():
        case.postgres.write(SETTLE, [case.ids[2]])


SCENES = (
    Scene("A draft was created", _draft, "draft", 0),
    Scene("The invoice was sent", _send, "sent", 0),
    Scene("A part of it was paid", _pay_part, "sent", 400),
    Scene("The rest was paid", _pay_rest, "paid", 900),
    Scene("A second invoice was sent", _send_another, "sent", 0),
    Scene("The second invoice was voided", _void, "void", 0),
    Scene("Another program imported a sent invoice with SQL", _imported, "sent", 0),
    Scene("Another program booked it as paid with SQL", _settled, "paid", 700),
)
