"""One thing after the other happens to an invoice, and after each the four reads are compared with the tables."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, LiteralString

from graders.check import expect
from graders.lesson_05 import writes
from graders.lesson_05.differences import first_difference
from graders.lesson_05.oracle import Oracle
from graders.lesson_05.other_programs import refused_rows_are_failures
from graders.lesson_05.reads import Balance, Customer, Invoice, Reads
from graders.probes.api import Api
from graders.probes.postgres import Postgres

# Long before any other due date, so that the invoice leads its tenant's overdue list.
DUE_ON = "2001-01-01"
AS_OF = date(2001, 2, 1)

IMPORT: LiteralString = """
    INSERT INTO invoices (tenant_id, customer_id, number, status, currency, total_cents, paid_cents, due_on)
    SELECT tenant_id, %s, %s, 'sent', currency, 700, 0, %s::date FROM invoices WHERE id = %s RETURNING id::text
"""
SETTLE: LiteralString = "UPDATE invoices SET status = 'paid', paid_cents = total_cents WHERE id = %s"


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
        return f"{self.tag}-{max(1, len(self.ids))}"


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
    rows = _as_another_program(case, IMPORT, [case.customer.id, f"{case.tag}-3", DUE_ON, case.ids[0]])
    case.ids.append(rows[0][0])


def _settled(case: Case) -> None:
    _as_another_program(case, SETTLE, [case.ids[2]])


SCENES: tuple[tuple[str, Callable[[Case], None]], ...] = (
    ("a draft was created", _draft),
    ("it was sent", _send),
    ("a part of it was paid", _pay_part),
    ("the rest was paid", _pay_rest),
    ("a second invoice was sent", _send_another),
    ("that one was voided", _void),
    ("another program imported a sent invoice with SQL", _imported),
    ("another program booked it as paid with SQL", _settled),
)


def expect_fresh(case: Case, scene: tuple[str, Callable[[Case], None]]) -> None:
    """Ask for all four, let something happen, ask again: every answer must know of it."""
    what, happens = scene
    _ask_all(case)
    happens(case)
    for asked in _ask_all(case):
        expect(
            asked.got == asked.right,
            expected=f"right after {what}, {asked.read} knows of it",
            got=asked.difference(),
            because="An answer from before the write makes people pay twice, or be dunned for what they have paid.",
            did=asked.did,
        )


@dataclass(frozen=True)
class Asked:
    """One read: the answer and the right one, both as lists where the read is a list."""

    read: str
    right: Any
    got: Any
    did: str

    def difference(self) -> str:
        if isinstance(self.right, list):
            return _missing_or_stale(self.right, self.got)
        if self.right is None or self.got is None:
            return "an invoice" if self.got else "status 404"
        right, got = _fields(self.right), _fields(self.got)
        return ", ".join(f"{name} {got[name]} instead of {right[name]}" for name in right if got[name] != right[name])


def _missing_or_stale(right: list[Invoice], got: list[Invoice]) -> str:
    """Order is another check's; here it is about who is in the list, and as what."""
    there, given = {one.id: one for one in right}, {one.id: one for one in got}
    if missing := there.keys() - given.keys():
        return f"invoice {min(missing)} is not in it"
    if added := given.keys() - there.keys():
        return f"invoice {min(added)} is still in it"
    return str(first_difference(right, got, "newest")).partition(", ")[2]


def _fields(answer: Invoice | Balance) -> dict[str, Any]:
    return answer._asdict()


def _ask_all(case: Case) -> list[Asked]:
    reads, oracle, customer = case.reads, case.oracle, case.customer
    steps = case.postgres.steps
    newest = sorted(reads.newest(customer, limit=100).items)
    asked = [Asked("the customer's list", sorted(oracle.newest(customer)[:100]), newest, steps.last())]
    overdue = sorted(reads.overdue(customer.tenant, AS_OF).items)
    right = sorted(oracle.overdue(customer.tenant, AS_OF)[:20])
    asked.append(Asked("the overdue list", right, overdue, steps.last()))
    found = reads.by_number(customer.tenant, case.number)
    asked.append(Asked("the look-up by number", oracle.by_number(customer.tenant, case.number), found, steps.last()))
    balance = reads.balance(customer)
    return [*asked, Asked("the balance", oracle.balance(customer), balance, steps.last())]


def _as_another_program(case: Case, sql: LiteralString, parameters: list[object]) -> list[tuple[Any, ...]]:
    with refused_rows_are_failures():
        return case.postgres.rows(sql, parameters)
