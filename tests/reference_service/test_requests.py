"""What must not come in is refused at the edge, with every fault named and nothing done."""

from typing import Any

import pytest

from tests.reference_service.calling import Tenant, ok, pointers, problem
from tests.reference_service.running import Web

LINE = {"description": "Work", "quantity": 1, "unit_price_cents": 1}
CUSTOMER = {"name": "Ada", "email": "ada@example.org"}

BAD_CUSTOMERS: list[tuple[Any, list[str]]] = [
    ({}, ["/body/name", "/body/email"]),
    ([], ["/body"]),
    (None, ["/body"]),
    ("text", ["/body"]),
    ({**CUSTOMER, "name": ""}, ["/body/name"]),
    ({**CUSTOMER, "name": "x" * 201}, ["/body/name"]),
    ({**CUSTOMER, "name": "a\x00b"}, ["/body/name"]),
    ({**CUSTOMER, "name": "a\nb"}, ["/body/name"]),
    ({**CUSTOMER, "name": "\ud800"}, ["/body/name"]),
    ({**CUSTOMER, "name": 7}, ["/body/name"]),
    ({**CUSTOMER, "email": "ada"}, ["/body/email"]),
    ({**CUSTOMER, "email": "a b@c"}, ["/body/email"]),
    ({**CUSTOMER, "email": "a@b@c"}, ["/body/email"]),
    ({**CUSTOMER, "email": f"{'a' * 250}@b.org"}, ["/body/email"]),
    ({**CUSTOMER, "id": "7", "a/b~c": 1}, ["/body/id", "/body/a~1b~0c"]),
]
BAD_INVOICES: list[tuple[Any, list[str]]] = [
    ({"lines": []}, ["/body/lines"]),
    ({"lines": [LINE] * 101}, ["/body/lines"]),
    ({"lines": [LINE, {**LINE, "quantity": 0}]}, ["/body/lines/1/quantity"]),
    ({"lines": [{**LINE, "quantity": 1_000_001}]}, ["/body/lines/0/quantity"]),
    ({"lines": [{**LINE, "quantity": "1"}]}, ["/body/lines/0/quantity"]),
    ({"lines": [{**LINE, "quantity": True}]}, ["/body/lines/0/quantity"]),
    ({"lines": [{**LINE, "quantity": 1.5}]}, ["/body/lines/0/quantity"]),
    ({"lines": [{**LINE, "quantity": None}]}, ["/body/lines/0/quantity"]),
    ({"lines": [{**LINE, "unit_price_cents": -1}]}, ["/body/lines/0/unit_price_cents"]),
    ({"lines": [{**LINE, "unit_price_cents": 100_000_000_001}]}, ["/body/lines/0/unit_price_cents"]),
    ({"lines": [{**LINE, "unit_price_cents": 10**30}]}, ["/body/lines/0/unit_price_cents"]),
    ({"lines": [{**LINE, "tax": 1}]}, ["/body/lines/0/tax"]),
    ({"lines": [LINE], "number": ""}, ["/body/number"]),
    ({"lines": [LINE], "number": " 7"}, ["/body/number"]),
    ({"lines": [LINE], "number": "7\n"}, ["/body/number"]),
    ({"lines": [LINE], "number": "Größe"}, ["/body/number"]),
    ({"lines": [LINE], "number": "7" * 65}, ["/body/number"]),
    ({"lines": [LINE], "status": "paid"}, ["/body/status"]),
]
BAD_DATES = ["2026-02-30", "2026-1-1", "20260101", "2026-01-01T00:00:00Z", "", 20260101, None]


@pytest.mark.parametrize(("body", "faults"), BAD_CUSTOMERS)
def test_a_bad_customer_is_refused(tenant: Tenant, body: Any, faults: list[str]) -> None:
    answer = tenant.web.call("POST", "/v1/customers", tenant=tenant.id, **as_json(body))
    assert sorted(pointers(problem(answer, 422, "invalid-request"))) == sorted(faults)
    assert ok(tenant.get("/v1/customers"))["items"] == []


def as_json(body: Any) -> dict[str, Any]:
    return {"json": body} if body is not None else {"data": b"null", "headers": JSON}


JSON = {"Content-Type": "application/json"}


def test_bad_invoices_are_refused(tenant: Tenant) -> None:
    path = f"/v1/customers/{tenant.customer()}/invoices"
    for body, faults in BAD_INVOICES:
        assert pointers(problem(tenant.post(path, body), 422, "invalid-request")) == faults, body
    assert ok(tenant.get(path))["items"] == []


def test_bad_steps_are_refused(tenant: Tenant) -> None:
    draft = tenant.draft(tenant.customer())
    for day in BAD_DATES:
        answer = tenant.post(f"/v1/invoices/{draft['id']}/send", {"due_on": day})
        assert pointers(problem(answer, 422, "invalid-request")) == ["/body/due_on"], day
    for amount in (0, -1, "1", 1_000_000_000_001, 2**63):
        answer = tenant.post(f"/v1/invoices/{draft['id']}/payments", {"amount_cents": amount})
        assert pointers(problem(answer, 422, "invalid-request")) == ["/body/amount_cents"], amount
    assert ok(tenant.get(f"/v1/invoices/{draft['id']}")) == draft


@pytest.mark.parametrize("limit", ["0", "101", "-1", "abc", "1.5", ""])
def test_a_bad_limit_is_refused(tenant: Tenant, limit: str) -> None:
    for path in ("/v1/customers", f"/v1/customers/{tenant.customer()}/invoices", "/v1/invoices/overdue"):
        assert pointers(problem(tenant.get(path, limit=limit), 422, "invalid-request")) == ["/query/limit"]


@pytest.mark.parametrize("day", ["2026-02-30", "today", ""])
def test_a_bad_as_of_is_refused(tenant: Tenant, day: str) -> None:
    body = problem(tenant.get("/v1/invoices/overdue", as_of=day), 422, "invalid-request")
    assert pointers(body) == ["/query/as_of"]


@pytest.mark.parametrize("header", [None, "", "0", "-1", "1.0", "abc", "01", "9" * 19, "1, 2", "१"])
def test_an_odd_tenant_is_refused(web: Web, header: str | None) -> None:
    headers = {} if header is None else {"X-Tenant-ID": header.encode()}
    for path in ("/v1/customers", "/v1/customers/1", "/v1/invoices/overdue", "/v1/invoices/x"):
        problem(web.call("GET", path, headers=headers), 400, "invalid-tenant")


@pytest.mark.parametrize("id", ["0", "-1", "01", "1.0", "abc", "%00", "9223372036854775808", "9" * 40, "٣"])
def test_an_id_that_cannot_exist_is_not_found(tenant: Tenant, id: str) -> None:
    for path in (
        "/v1/customers/{}",
        "/v1/customers/{}/balance",
        "/v1/customers/{}/invoices",
        "/v1/invoices/{}",
    ):
        problem(tenant.get(path.format(id)), 404)
    problem(tenant.post(f"/v1/invoices/{id}/void"), 404)


def test_what_is_another_tenants_does_not_exist(tenant: Tenant, other_tenant: Tenant) -> None:
    customer = other_tenant.customer()
    invoice = other_tenant.sent(customer)
    paid = ok(other_tenant.post(f"/v1/invoices/{invoice['id']}/payments", {"amount_cents": 1}), 201)
    for path in (
        f"/v1/customers/{customer}",
        f"/v1/customers/{customer}/balance",
        f"/v1/customers/{customer}/invoices",
        f"/v1/invoices/{invoice['id']}",
        f"/v1/invoices/{invoice['id']}/payments/{paid['id']}",
        f"/v1/invoices/by-number/{invoice['number']}",
    ):
        problem(tenant.get(path), 404)
        ok(other_tenant.get(path))
    problem(tenant.post(f"/v1/customers/{customer}/invoices", {"lines": [LINE]}), 404)
    problem(tenant.post(f"/v1/invoices/{invoice['id']}/send", {"due_on": "2026-01-01"}), 404)
    problem(tenant.post(f"/v1/invoices/{invoice['id']}/void"), 404)
    problem(tenant.post(f"/v1/invoices/{invoice['id']}/payments", {"amount_cents": 1}), 404)
    assert ok(tenant.get("/v1/invoices/overdue", as_of="9999-12-31"))["items"] == []
    assert ok(tenant.get("/v1/customers"))["items"] == []


def test_a_tenant_that_nobody_made_has_nothing(web: Web) -> None:
    missing = 9_000_000_000
    problem(web.call("POST", "/v1/customers", tenant=missing, json=CUSTOMER), 404)
    assert ok(web.call("GET", "/v1/customers", tenant=missing))["items"] == []


def test_a_payment_belongs_to_its_invoice(tenant: Tenant) -> None:
    first, second = tenant.sent(tenant.customer()), tenant.sent(tenant.customer())
    paid = ok(tenant.post(f"/v1/invoices/{first['id']}/payments", {"amount_cents": 1}), 201)
    problem(tenant.get(f"/v1/invoices/{second['id']}/payments/{paid['id']}"), 404)
