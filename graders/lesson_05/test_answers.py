"""Fast and wrong is wrong: the four reads give exactly what the tables hold, also right after a write."""

import random
from datetime import UTC, date, datetime, timedelta
from functools import partial

from graders.check import check, expect
from graders.lesson_05 import writes
from graders.lesson_05.differences import first_difference
from graders.lesson_05.freshness import SCENES, Case, expect_fresh
from graders.lesson_05.oracle import Oracle
from graders.lesson_05.order import expect_end, expect_order, expect_overdue
from graders.lesson_05.population import Population, expect_kept
from graders.lesson_05.promises import expect_contract
from graders.lesson_05.reads import Reads, walk
from graders.lesson_05.shapes import Invoice
from graders.lesson_05.walks import LIMIT, LongWalk, walk_all
from graders.lesson_05.warmth import END_OF_DATA
from graders.probes.api import Api
from graders.probes.postgres import Postgres


@check("data-kept")
def test_data_kept(postgres: Postgres) -> None:
    """The release keeps every invoice that production has, as it is."""
    expect_kept(postgres)


@check("contract-kept", needs=["data-kept"])
def test_contract(api: Api, people: Population, rng: random.Random) -> None:
    """The endpoints keep their contract: fields, statuses, tenants apart."""
    expect_contract(api, people, rng)


@check("pages-exact", needs=["data-kept"])
def test_pages(
    whale_walk: LongWalk, reads: Reads, people: Population, oracle: Oracle, rng: random.Random
) -> None:
    """Page by page, a customer's list holds every invoice once, in the promised order."""
    expect_order(whale_walk, oracle)
    for customer in (people.second, people.ordinary(rng)):
        expect_order(walk_all(reads, customer, LIMIT), oracle)
    expect_end(reads, people.ordinary(rng), oracle)


@check("pages-stable", needs=["pages-exact"])
def test_pages_under_inserts(
    reads: Reads, api: Api, people: Population, oracle: Oracle, rng: random.Random
) -> None:
    """A walk through the pages neither repeats nor loses an invoice while new ones come in."""
    customer = people.medium(rng)
    there = oracle.newest(customer)
    seen: list[Invoice] = []
    for page in walk(lambda cursor: reads.newest(customer, 20, cursor), customer.invoices // 20 + 50):
        seen += page.items
        for _ in range(rng.randint(1, 3)):
            writes.draft(api, customer)
    known = {invoice.id for invoice in there}
    difference = first_difference(there, [invoice for invoice in seen if invoice.id in known], "newest")
    expect(
        difference is None,
        expected="Every invoice that was there when the walk began, exactly once, however many are added "
        "between one page and the next.",
        got=f"while new invoices came in, {difference}",
        because="Whoever copies the list page by page books an invoice twice, or never learns of it.",
        did=page.did,
    )


@check("overdue-exact", needs=["data-kept"])
def test_overdue(reads: Reads, people: Population, oracle: Oracle, rng: random.Random) -> None:
    """The overdue list holds exactly the open invoices past their due date, longest overdue first."""
    as_of = END_OF_DATA - timedelta(days=rng.randint(0, 40))
    for tenant in (people.tenants[0], rng.choice(people.tenants[1:])):
        pages = list(walk(partial(reads.overdue, tenant, as_of, LIMIT), 200))
        expect_overdue(oracle.overdue(tenant, as_of), [item for page in pages for item in page.items], pages)
    tenant = people.tenants[-1]
    days = [_today()]
    page = reads.overdue(tenant, None, LIMIT)
    right = [oracle.overdue(tenant, day)[:LIMIT] for day in [*days, _today()]]
    if list(page.items) not in right:
        expect_overdue(right[0], list(page.items), [page])


@check("number-exact", needs=["data-kept"])
def test_number(reads: Reads, api: Api, people: Population, oracle: Oracle, rng: random.Random) -> None:
    """An invoice is found by its number in whatever case, and only by its own number."""
    customer = people.ordinary(rng)
    known = rng.choice(oracle.newest(customer)).number
    for asked in (known, known.upper(), known.lower(), known.swapcase()):
        _expect_found(reads, oracle, customer.tenant, asked)
    tag = f"{rng.randrange(36**6):x}"
    for number in (f"Q{tag}_7", f"Q{tag}x7", f"Q{tag}%"):
        writes.draft(api, customer, number=number)
    for asked in (f"q{tag}_7", f"q{tag}X7", f"q{tag}%", f"q{tag}__", f"q{tag}"):
        _expect_found(reads, oracle, customer.tenant, asked)


@check("numbers-unique", needs=["data-kept"])
def test_number_taken(api: Api, people: Population, rng: random.Random) -> None:
    """A number that differs from another of the tenant's only in case is taken."""
    customer = people.ordinary(rng)
    number = f"Re-{rng.randrange(10**9)}x"
    first = writes.draft(api, customer, number=number)
    again = writes.ask_draft(api, customer, number=number.swapcase())
    expect(
        again.status == 409,
        expected=f"Status 409: but for case, {number.swapcase()} is {number}, and invoice {first.id} has that.",
        got=f"a second invoice of that number: {again.summary()}",
        because="A customer writes one of the two on the transfer, and nobody can tell which invoice is paid.",
        did=again.did,
    )


@check("balance-exact", needs=["data-kept"])
def test_balance(reads: Reads, people: Population, oracle: Oracle, rng: random.Random) -> None:
    """A balance is what is outstanding on the customer's open invoices, to the cent."""
    somebody = (people.ordinary(rng, open_invoices=3), rng.choice(people.customers))
    for customer in (people.whale, people.second, *somebody):
        right, got = oracle.balance(customer), reads.balance(customer)
        expect(
            got == right,
            expected=f"{right.open_invoices} open invoices, {right.outstanding_cents} cents in {right.currency}.",
            got=f"{got.open_invoices} open invoices, {got.outstanding_cents} cents in {got.currency}",
            because="This is the sum that a customer is reminded of.",
        )


@check("answers-fresh", needs=["data-kept"])
def test_fresh(
    reads: Reads, api: Api, postgres: Postgres, oracle: Oracle, people: Population, rng: random.Random
) -> None:
    """Right after a write, whoever made it, each of the four reads knows of it."""
    case = Case(reads, api, postgres, oracle, people.ordinary(rng), tag=f"F{rng.randrange(10**9)}")
    for scene in SCENES:
        expect_fresh(case, scene)


def _expect_found(reads: Reads, oracle: Oracle, tenant: int, asked: str) -> None:
    right, got = oracle.by_number(tenant, asked), reads.by_number(tenant, asked)
    expect(
        got == right,
        expected=f"Invoice {right.id}, whose number is {right.number}."
        if right
        else f"Status 404: no invoice of the tenant has the number {asked}.",
        got=f"invoice {got.id}, whose number is {got.number}" if got else "status 404",
        because="People type a number as it stands on a letter or a bank statement, and mean that one invoice.",
    )


def _today() -> date:
    return datetime.now(UTC).date()
