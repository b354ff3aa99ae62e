"""An invoice goes through its life as promised, and through no other, however many call at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
import requests

from tests.reference_service.calling import Tenant, ok, pointers, problem
from tests.reference_service.running import Row

LARGEST_TOTAL = 1_000_000_000_000


def step(tenant: Tenant, invoice: Row, name: str) -> requests.Response:
    bodies = {"send": {"due_on": "2026-01-31"}, "void": None, "payments": {"amount_cents": 1}}
    return tenant.post(f"/v1/invoices/{invoice['id']}/{name}", bodies[name])


def in_status(tenant: Tenant, status: str) -> Row:
    customer = tenant.customer()
    if status == "draft":
        return tenant.draft(customer)
    invoice = tenant.draft(customer) if status == "void" else tenant.sent(customer)
    if status == "void":
        ok(step(tenant, invoice, "void"))
    if status == "paid":
        ok(tenant.post(f"/v1/invoices/{invoice['id']}/payments", {"amount_cents": 1000}), 201)
    return ok(tenant.get(f"/v1/invoices/{invoice['id']}"))


@pytest.mark.parametrize(
    ("status", "allowed"),
    [("draft", {"send", "void"}), ("sent", {"void", "payments"}), ("paid", set()), ("void", set())],
)
@pytest.mark.parametrize("name", ["send", "void", "payments"])
def test_only_the_promised_steps_are_taken(tenant: Tenant, status: str, allowed: set[str], name: str) -> None:
    before = in_status(tenant, status)
    assert before["status"] == status
    answer = step(tenant, before, name)
    if name in allowed:
        assert answer.status_code < 300
        return
    problem(answer, 409, "wrong-status")
    assert ok(tenant.get(f"/v1/invoices/{before['id']}")) == before


def test_what_is_paid_in_part_is_not_voided(tenant: Tenant) -> None:
    invoice = tenant.sent(tenant.customer())
    assert step(tenant, invoice, "payments").status_code == 201
    problem(step(tenant, invoice, "void"), 409, "wrong-status")


def test_too_much_is_refused_and_in_full_is_paid(tenant: Tenant) -> None:
    customer = tenant.customer()
    invoice = tenant.sent(customer, cents=500)
    payments = f"/v1/invoices/{invoice['id']}/payments"
    problem(tenant.post(payments, {"amount_cents": 501}), 409, "overpayment")
    ok(tenant.post(payments, {"amount_cents": 200}), 201)
    problem(tenant.post(payments, {"amount_cents": 301}), 409, "overpayment")
    assert ok(tenant.get(f"/v1/customers/{customer}/balance"))["outstanding_cents"] == 300
    ok(tenant.post(payments, {"amount_cents": 300}), 201)
    now = ok(tenant.get(f"/v1/invoices/{invoice['id']}"))
    assert (now["status"], now["paid_cents"]) == ("paid", 500)
    assert ok(tenant.get(f"/v1/customers/{customer}/balance"))["open_invoices"] == 0


def at_once(call: Callable[[int], requests.Response], times: int) -> list[requests.Response]:
    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(call, range(times)))


def test_payments_at_once_are_counted_one_after_the_other(tenant: Tenant) -> None:
    invoice = tenant.sent(tenant.customer(), cents=5)
    answers = at_once(lambda _: step(tenant, invoice, "payments"), 12)
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [409] * 7
    now = ok(tenant.get(f"/v1/invoices/{invoice['id']}"))
    assert (now["status"], now["paid_cents"]) == ("paid", 5)
    query = "SELECT amount_cents FROM payments WHERE invoice_id = %s"
    assert [row["amount_cents"] for row in tenant.database.rows(query, int(invoice["id"]))] == [1] * 5


def test_numbers_at_once_are_all_different_and_step_over_taken_ones(tenant: Tenant) -> None:
    customer = tenant.customer()
    tenant.draft(customer, number="inv-000003")
    with ThreadPoolExecutor(8) as threads:
        numbers = [invoice["number"] for invoice in threads.map(lambda _: tenant.draft(customer), range(8))]
    assert sorted(numbers) == [f"INV-{n:06d}" for n in (1, 2, 4, 5, 6, 7, 8, 9)]


def test_one_number_at_once_is_given_once(tenant: Tenant) -> None:
    customer = tenant.customer()
    lines = [{"description": "Work", "quantity": 1, "unit_price_cents": 1}]

    def create(turn: int) -> requests.Response:
        number = "July" if turn % 2 else "JULY"
        return tenant.post(f"/v1/customers/{customer}/invoices", {"lines": lines, "number": number})

    answers = at_once(create, 6)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    for answer in answers:
        if answer.status_code == 409:
            problem(answer, 409, "number-taken")


def test_two_tenants_have_their_own_numbers_and_currency(tenant: Tenant, other_tenant: Tenant) -> None:
    mine, theirs = tenant.draft(tenant.customer()), other_tenant.draft(other_tenant.customer())
    assert mine["number"] == theirs["number"] == "INV-000001"
    assert (mine["currency"], theirs["currency"]) == ("EUR", "USD")


@pytest.mark.parametrize("number", ["2024/117", "a b", "100%", "?#&=", "~" * 64])
def test_a_number_is_found_in_either_case(tenant: Tenant, number: str) -> None:
    made = tenant.draft(tenant.customer(), number=number)
    for written in (number, number.upper(), number.lower()):
        quoted = quote(written, safe="")
        assert ok(tenant.get(f"/v1/invoices/by-number/{quoted}")) == made
    problem(tenant.get(f"/v1/invoices/by-number/{quote(number[:-1] + '_', safe='')}"), 404)


@pytest.mark.parametrize(
    ("quantity", "price", "fits"),
    [(1, 0, False), (1, 1, True), (10, 100_000_000_000, True), (11, 100_000_000_000, False)],
)
def test_a_total_stays_within_its_bounds(tenant: Tenant, quantity: int, price: int, fits: bool) -> None:
    line = {"description": "Work", "quantity": quantity, "unit_price_cents": price}
    answer = tenant.post(f"/v1/customers/{tenant.customer()}/invoices", {"lines": [line]})
    if fits:
        assert ok(answer, 201)["total_cents"] == quantity * price <= LARGEST_TOTAL
    else:
        assert pointers(problem(answer, 422, "invalid-request")) == ["/body/lines"]


def test_balances_of_large_invoices_are_exact(tenant: Tenant) -> None:
    customer = tenant.customer()
    rows = "INSERT INTO invoices (tenant_id, customer_id, number, status, currency, total_cents, due_on)"
    select = "SELECT %s, %s, n::text, 'sent', 'EUR', %s, '2026-01-31' FROM generate_series(1, 2000) AS n"
    tenant.database.execute(f"{rows} {select}", tenant.id, int(customer), LARGEST_TOTAL - 1)
    assert ok(tenant.get(f"/v1/customers/{customer}/balance")) == {
        "customer_id": customer,
        "currency": "EUR",
        "open_invoices": 2000,
        "outstanding_cents": 2000 * (LARGEST_TOTAL - 1),
    }


def test_lines_keep_their_order(tenant: Tenant) -> None:
    lines = [{"description": f"Line {n}", "quantity": n, "unit_price_cents": 100 - n} for n in range(1, 101)]
    made = ok(tenant.post(f"/v1/customers/{tenant.customer()}/invoices", {"lines": lines}), 201)
    assert made["lines"] == lines
    assert ok(tenant.get(f"/v1/invoices/{made['id']}"))["lines"] == lines
    assert made["total_cents"] == sum(n * (100 - n) for n in range(1, 101))
