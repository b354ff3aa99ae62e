"""Lists come in the promised order, page by page, also while others write."""

import base64
import json
from collections.abc import Iterator

import pytest

from tests.reference_service.calling import Tenant, ok, pointers, problem
from tests.reference_service.running import Row


def walk(tenant: Tenant, path: str, limit: int, **query: object) -> Iterator[list[Row]]:
    """The pages of a list from its beginning to its end."""
    cursor: dict[str, object] = {}
    while True:
        page = ok(tenant.get(path, limit=limit, **cursor, **query))
        yield page["items"]
        if page["next_cursor"] is None:
            return
        assert len(page["items"]) == limit
        cursor = {"cursor": page["next_cursor"]}


def ids(tenant: Tenant, path: str, limit: int, **query: object) -> list[int]:
    return [int(item["id"]) for page in walk(tenant, path, limit, **query) for item in page]


@pytest.fixture
def customer(tenant: Tenant) -> str:
    """A customer with 45 sent invoices: four and four created at one moment, nine and nine due on one day."""
    customer = tenant.customer()
    tenant.database.execute(
        """
        INSERT INTO invoices
               (tenant_id, customer_id, number, status, currency, total_cents, due_on, created_at)
        SELECT %s, %s, 'N' || n, 'sent', 'EUR', n, date '2026-01-01' + n %% 5,
               timestamptz '2026-01-01 00:00:00.000001Z' + n * 7 %% 45 / 4 * interval '1 microsecond'
        FROM generate_series(1, 45) AS n
        """,
        tenant.id,
        int(customer),
    )
    return customer


def expected(tenant: Tenant, order: str) -> list[int]:
    query = f"SELECT id FROM invoices WHERE tenant_id = %s ORDER BY {order}"
    return [row["id"] for row in tenant.database.rows(query, tenant.id)]


@pytest.mark.parametrize("limit", [1, 4, 5, 15, 44, 45, 46, 100])
def test_newest_first_with_ties(tenant: Tenant, customer: str, limit: int) -> None:
    path = f"/v1/customers/{customer}/invoices"
    assert ids(tenant, path, limit) == expected(tenant, "created_at DESC, id DESC")


@pytest.mark.parametrize("limit", [1, 9, 10, 45, 100])
def test_overdue_first_with_ties(tenant: Tenant, customer: str, limit: int) -> None:
    found = ids(tenant, "/v1/invoices/overdue", limit, as_of="2026-02-01")
    assert found == expected(tenant, "due_on, id")


def test_overdue_is_sent_and_due_before_the_day(tenant: Tenant, customer: str) -> None:
    paid = tenant.sent(customer, cents=7, due_on="2020-01-01")
    ok(tenant.post(f"/v1/invoices/{paid['id']}/payments", {"amount_cents": 7}), 201)
    tenant.draft(customer)
    found = ids(tenant, "/v1/invoices/overdue", 100, as_of="2026-01-02")
    assert found == [row["id"] for row in due_on_the_first(tenant)]
    tenant.sent(customer, due_on="9999-12-31")
    assert ids(tenant, "/v1/invoices/overdue", 100) == expected_overdue_today(tenant)


def due_on_the_first(tenant: Tenant) -> list[Row]:
    query = "SELECT id FROM invoices WHERE tenant_id = %s AND due_on = '2026-01-01' ORDER BY id"
    return tenant.database.rows(query, tenant.id)


def expected_overdue_today(tenant: Tenant) -> list[int]:
    query = (
        "SELECT id FROM invoices WHERE tenant_id = %s AND status = 'sent'"
        " AND due_on < (now() AT TIME ZONE 'UTC')::date ORDER BY due_on, id"
    )
    return [row["id"] for row in tenant.database.rows(query, tenant.id)]


def test_a_walk_is_not_disturbed_by_inserts(tenant: Tenant, customer: str) -> None:
    at_the_start = expected(tenant, "created_at DESC, id DESC")
    seen: list[int] = []
    for page in walk(tenant, f"/v1/customers/{customer}/invoices", 10):
        seen += [int(item["id"]) for item in page]
        tenant.draft(customer)
    assert [id for id in seen if id in at_the_start] == at_the_start
    assert len(seen) == len(set(seen))


def test_a_cursor_is_valid_with_another_limit(tenant: Tenant, customer: str) -> None:
    path = f"/v1/customers/{customer}/invoices"
    first = ok(tenant.get(path, limit=7))
    second = ok(tenant.get(path, limit=100, cursor=first["next_cursor"]))
    found = [int(item["id"]) for item in first["items"] + second["items"]]
    assert found == expected(tenant, "created_at DESC, id DESC")


def test_twenty_is_the_page_that_nobody_asked_for(tenant: Tenant, customer: str) -> None:
    assert len(ok(tenant.get(f"/v1/customers/{customer}/invoices"))["items"]) == 20


def test_customers_in_the_order_of_creation(tenant: Tenant, other_tenant: Tenant) -> None:
    made = [int(tenant.customer()) for _ in range(5)]
    other_tenant.customer()
    for limit in (1, 2, 5, 6):
        assert ids(tenant, "/v1/customers", limit) == made


def test_a_customer_without_invoices_has_an_empty_list(tenant: Tenant) -> None:
    answer = ok(tenant.get(f"/v1/customers/{tenant.customer()}/invoices"))
    assert answer == {"items": [], "next_cursor": None}


def cursor_of(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


FORGED = [
    "",
    "x",
    "ü",
    "!!!!",
    "AAAA",
    cursor_of([1]),
    cursor_of({"id": 1}),
    cursor_of({"id": "1", "created_at": "2026-01-01T00:00:00Z", "due_on": "2026-01-01"}),
    cursor_of({"id": 10**30, "created_at": "2026-01-01T00:00:00Z", "due_on": "2026-01-01"}),
    cursor_of({"id": 1, "created_at": "yesterday", "due_on": "yesterday"}),
]


@pytest.mark.parametrize("cursor", FORGED)
def test_a_forged_cursor_is_a_fault(tenant: Tenant, customer: str, cursor: str) -> None:
    for path in (f"/v1/customers/{customer}/invoices", "/v1/invoices/overdue"):
        body = problem(tenant.get(path, cursor=cursor), 422, "invalid-request")
        assert pointers(body) == ["/query/cursor"]


def test_times_keep_their_microseconds(tenant: Tenant, customer: str) -> None:
    (last,) = [page[-1] for page in walk(tenant, f"/v1/customers/{customer}/invoices", 100)]
    assert last["created_at"] == "2026-01-01T00:00:00.000001Z"
