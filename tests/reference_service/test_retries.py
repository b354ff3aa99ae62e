"""A request that is repeated with its Idempotency-Key creates once and is answered as it was the first time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.reference_service.calling import Tenant, ok, pointers, problem
from tests.reference_service.running import Database, started, web_env

ADA = {"name": "Ada", "email": "ada@example.org"}
BO = {"name": "Bo", "email": "bo@example.org"}


def create(tenant: Tenant, key: str, body: object = ADA, path: str = "/v1/customers") -> requests.Response:
    return tenant.send("POST", path, body, Idempotency_Key=key)


def customers(tenant: Tenant) -> list[object]:
    return list(ok(tenant.get("/v1/customers", limit=100))["items"])


def same(first: requests.Response, second: requests.Response) -> bool:
    return (ok(first, 201), first.headers["Location"]) == (ok(second, 201), second.headers["Location"])


def test_the_same_answer_even_after_a_change(tenant: Tenant) -> None:
    first = create(tenant, "a key")
    ok(tenant.send("PUT", first.headers["Location"], BO))
    assert same(first, create(tenant, "a key"))
    assert len(customers(tenant)) == 1


def test_for_each_of_the_three(tenant: Tenant) -> None:
    customer = tenant.customer()
    line = {"description": "Work", "quantity": 1, "unit_price_cents": 100}
    invoices = f"/v1/customers/{customer}/invoices"
    first = create(tenant, "i", {"lines": [line]}, invoices)
    assert same(first, create(tenant, "i", {"lines": [line]}, invoices))
    invoice = first.headers["Location"]
    ok(tenant.post(f"{invoice}/send", {"due_on": "2026-01-31"}))
    paid = create(tenant, "p", {"amount_cents": 60}, f"{invoice}/payments")
    assert same(paid, create(tenant, "p", {"amount_cents": 60}, f"{invoice}/payments"))
    assert ok(tenant.get(invoice))["paid_cents"] == 60


def test_another_request_under_the_key_is_refused(tenant: Tenant, other_tenant: Tenant) -> None:
    create(tenant, "k")
    answer = create(tenant, "k", BO)
    assert pointers(problem(answer, 422, "idempotency-key-reused")) == ["/header/Idempotency-Key"]
    ok(create(other_tenant, "k", BO), 201)
    ok(create(tenant, "K", BO), 201)
    assert len(customers(tenant)) == 2


def test_what_was_refused_leaves_its_key_free(tenant: Tenant) -> None:
    draft = tenant.draft(tenant.customer(), cents=100)
    path = f"/v1/invoices/{draft['id']}/payments"
    problem(create(tenant, "k", {"amount_cents": 0}, path), 422, "invalid-request")
    problem(create(tenant, "k", {"amount_cents": 100}, path), 409, "wrong-status")
    ok(tenant.post(f"/v1/invoices/{draft['id']}/send", {"due_on": "2026-01-31"}))
    ok(create(tenant, "k", {"amount_cents": 100}, path), 201)


@pytest.mark.parametrize("key", ["", "x" * 129, "gr\u00fcn", "a\tb"])
def test_what_is_no_key(tenant: Tenant, key: str) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1"), "Content-Type": "application/json"}
    body = b'{"name": "Ada", "email": "ada@example.org"}'
    answer = tenant.web.call("POST", "/v1/customers", tenant=tenant.id, data=body, headers=headers)
    assert pointers(problem(answer, 422, "invalid-request")) == ["/header/Idempotency-Key"]
    assert customers(tenant) == []


@pytest.fixture
def two(
    tenant: Tenant, shared_database: Database, base_env: dict[str, str]
) -> Iterator[tuple[Tenant, Tenant]]:
    """The tenant at two processes of the service."""
    with started(web_env(shared_database, base_env)) as second:
        yield tenant, Tenant(second, shared_database, tenant.id)


def test_twins_at_two_processes_at_once(two: tuple[Tenant, Tenant]) -> None:
    first, second = two
    with ThreadPoolExecutor(8) as threads:
        for turn in range(6):
            asked = [threads.submit(create, who, f"twin {turn}") for who in (first, second) * 4]
            answers = [one.result() for one in asked]
            assert all(same(answers[0], answer) for answer in answers)
    assert len(customers(first)) == 6


def test_a_twin_waits_until_the_first_is_done(tenant: Tenant) -> None:
    """The first is held up in its transaction; a second that did not wait would be answered before it."""
    customer = tenant.customer()
    draft = tenant.sent(customer, cents=100)
    path = f"/v1/invoices/{draft['id']}/payments"
    with ThreadPoolExecutor(2) as threads, tenant.database.connect(autocommit=False) as other:
        other.execute("SELECT FROM invoices WHERE id = %s FOR UPDATE", [draft["id"]])
        twins = [threads.submit(create, tenant, "w", {"amount_cents": 60}, path) for _ in range(2)]
        other.commit()
        first, second = (twin.result() for twin in twins)
    assert same(first, second)
    assert ok(tenant.get(f"/v1/invoices/{draft['id']}"))["paid_cents"] == 60
