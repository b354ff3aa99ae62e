"""What a success says: its shape, where the new thing is, lists that are alike and hold still, and HEAD."""

import random
from datetime import date
from typing import Any
from urllib.parse import quote

from graders.check import check, expect
from graders.lesson_02 import customers, invoices
from graders.lesson_02.heads import expect_alike
from graders.lesson_02.lists import LISTS, expect_envelope, expect_undisturbed
from graders.lesson_02.located import expect_found
from graders.lesson_02.overdue import expect_overdue_today
from graders.lesson_02.population import Population
from graders.lesson_02.shapes import BALANCE, BECAUSE, PAYMENT, WITH_LINES, read
from graders.probes.api import Api
from graders.probes.postgres import Postgres
from graders.probes.service import Service
from graders.probes.transcript import Transcript


@check("answers-as-promised")
def test_shapes(http: Api, postgres: Postgres, people: Population, rng: random.Random) -> None:
    """Each success has its promised status, media type and fields: ids as strings, whole cents, times in UTC."""
    tenant = people.tenant(rng)
    _customer(http, postgres, tenant, rng)
    _draft(http, people, tenant, rng)
    _numbers(http, people, tenant, rng)
    _life(http, people, tenant, rng)
    _request_ids(http, tenant, rng)


def _customer(http: Api, postgres: Postgres, tenant: int, draw: random.Random) -> None:
    body = customers.new(draw)
    customer = customers.created(http, tenant, body)
    same("the customer", customers.chosen(customer), body)
    stored = "SELECT created_at FROM public.customers WHERE id::text = %s"
    same("created_at", customer["created_at"], postgres.value(stored, [customer["id"]]))


def _draft(http: Api, people: Population, tenant: int, draw: random.Random) -> None:
    customer, number = people.free_customer(tenant, draw), f"Re/{draw.randrange(10**9)}"
    lines, currency = invoices.lines(draw), people.currency(tenant)
    draft = invoices.draft(http, tenant, customer, {"number": number, "lines": lines})
    right = {
        "customer_id": customer, "number": number, "status": "draft", "total_cents": invoices.total(lines),
        "currency": currency, "paid_cents": 0, "due_on": None, "lines": lines,
    }  # fmt: skip
    same("the draft", {name: draft[name] for name in right}, right)
    stored = "SELECT created_at FROM public.invoices WHERE id::text = %s"
    same("created_at", draft["created_at"], people.postgres.value(stored, [draft["id"]]))
    for spelled in (number.upper(), quote(number, safe="")):
        by_number = http.get(f"/v1/invoices/by-number/{spelled}", tenant=tenant)
        same("the invoice by its number", read(by_number, 200, WITH_LINES), draft)
    balance = {"customer_id": customer, "currency": currency, "open_invoices": 0, "outstanding_cents": 0}
    owed = http.get(f"/v1/customers/{customer}/balance", tenant=tenant)
    same("the balance", read(owed, 200, BALANCE), balance)


def _numbers(http: Api, people: Population, tenant: int, draw: random.Random) -> None:
    """A number that the caller took is stepped over by those that the service gives."""
    customer = people.free_customer(tenant, draw)
    given = str(invoices.draft(http, tenant, customer, {"lines": invoices.lines(draw)})["number"])
    same("the start of a number that was left out", given[:4], "INV-")
    taken = f"INV-{int(given[4:]) + 1:06d}" if given[4:].isdigit() else f"INV-{draw.randrange(10**9)}"
    invoices.draft(http, tenant, customer, {"number": taken, "lines": invoices.lines(draw)})
    after = str(invoices.draft(http, tenant, customer, {"lines": invoices.lines(draw)})["number"])
    same("whether the next number is one that nobody has", after.upper() not in (given, taken), True)


def _request_ids(http: Api, tenant: int, draw: random.Random) -> None:
    """An id that came in is kept, in successes and in refusals."""
    for path in ("/v1/customers", "/v1/customers/999999999"):
        id = f"trace-{draw.randrange(10**9)}.a_B"
        answer = http.send("GET", path, tenant=tenant, headers={"X-Request-ID": id})
        same("X-Request-ID of the answer", answer.headers.get("X-Request-ID"), id)


def _life(http: Api, people: Population, tenant: int, draw: random.Random) -> None:
    id = people.invoice(tenant, "draft", draw).id
    before = invoices.fetched(http, tenant, id)
    sent = read(invoices.ask_send(http, tenant, id), 200, WITH_LINES)
    same("the sent invoice", sent, {**before, "status": "sent", "due_on": date(2026, 3, 31)})
    owed = people.invoice(tenant, "sent", draw)
    payment = invoices.pay(http, tenant, owed.id, owed.total_cents - 5)
    right = (owed.id, owed.total_cents - 5)
    same("the payment", (payment["invoice_id"], payment["amount_cents"]), right)
    found = http.get(f"/v1/invoices/{owed.id}/payments/{payment['id']}", tenant=tenant)
    same("the payment", read(found, 200, PAYMENT), payment)
    stored = "SELECT received_at FROM public.payments WHERE id::text = %s"
    same("received_at", payment["received_at"], people.postgres.value(stored, [payment["id"]]))
    _balance(http, people, tenant, owed.customer_id)
    same("paid_cents", invoices.fetched(http, tenant, owed.id)["paid_cents"], owed.total_cents - 5)
    for status in ("draft", "sent"):
        other = people.invoice(tenant, status, draw).id
        before = invoices.fetched(http, tenant, other)
        void = read(http.post(f"/v1/invoices/{other}/void", tenant=tenant), 200, WITH_LINES)
        same("the void invoice", void, {**before, "status": "void"})


def _balance(http: Api, people: Population, tenant: int, customer: str) -> None:
    """What is owed, when a part is paid: the sum of what is left."""
    stored = """
        SELECT count(*)::bigint, coalesce(sum(total_cents - paid_cents), 0)::bigint
        FROM public.invoices WHERE customer_id::text = %s AND status = 'sent'
    """
    ((open_invoices, cents),) = people.postgres.rows(stored, [customer])
    said = read(http.get(f"/v1/customers/{customer}/balance", tenant=tenant), 200, BALANCE)
    same("open_invoices of the balance", said["open_invoices"], open_invoices)
    same("outstanding_cents of the balance", said["outstanding_cents"], cents)


def same(what: str, got: Any, right: Any) -> None:
    """Fail with the first field that differs; the request before it is the one that was asked."""
    if isinstance(got, dict) and isinstance(right, dict):
        for name, value in right.items():
            same(f"{name} of {what}", got[name], value)
        return
    expect(got == right, expected=f"{what}: {right}", got=f"{what}: {got}", because=BECAUSE)


@check("created-is-found")
def test_location(http: Api, people: Population, rng: random.Random) -> None:
    """A 201 says in Location where the new thing is, and it is there."""
    tenant = people.tenant(rng)
    customer = people.free_customer(tenant, rng)
    draft = people.invoice(tenant, "sent", rng)
    expect_found(http, tenant, "/v1/customers", customers.new(rng))
    expect_found(http, tenant, f"/v1/customers/{customer}/invoices", {"lines": invoices.lines(rng)})
    expect_found(http, tenant, f"/v1/invoices/{draft.id}/payments", {"amount_cents": 1})


@check("lists-alike")
def test_lists(http: Api, people: Population, rng: random.Random) -> None:
    """All lists have one envelope and page alike, by limit and next_cursor; overdue is what was due before today."""
    tenant = people.tenant(rng)
    for a_list in LISTS:
        expect_envelope(http, a_list, tenant, people)
    expect_overdue_today(http, people, tenant, rng)


@check("walks-stable", needs=["lists-alike"])
def test_walks(
    http: Api, service: Service, steps: Transcript, people: Population, rng: random.Random
) -> None:
    """Who walks a list from page to page while others write sees each item once, whichever web process answers."""
    tenant = people.tenant(rng)
    second = Api(service.web("billing", 2), steps, shows_head=True)
    for a_list in LISTS:
        expect_undisturbed((http, second), a_list, tenant, people, rng)


@check("head-like-get")
def test_head(http: Api, people: Population, rng: random.Random) -> None:
    """HEAD goes wherever GET goes, with the same status and headers and without the body."""
    tenant = people.tenant(rng)
    paid = people.invoice(tenant, "paid", rng)
    for path in (
        "/livez",
        "/readyz",
        "/openapi.json",
        "/v1/customers",
        f"/v1/customers/{paid.customer_id}",
        f"/v1/customers/{paid.customer_id}/balance",
        f"/v1/customers/{paid.customer_id}/invoices",
        "/v1/invoices/overdue",
        f"/v1/invoices/by-number/{paid.number}",
        f"/v1/invoices/{paid.id}",
        f"/v1/invoices/{paid.id}/payments/{people.payment(paid)}",
    ):
        expect_alike(http, path, tenant, 200)
    expect_alike(http, "/v1/customers/999999999", tenant, 404)
    expect_alike(http, "/v1/customers?limti=5", tenant, 422)
    expect_alike(http, f"/v1/invoices/{paid.id}", tenant, 406, {"Accept": "text/html"})
