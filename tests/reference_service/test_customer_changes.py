"""A customer is replaced, patched and deleted as RFC 9110 and RFC 7396 say, and nothing else happens to it."""

from typing import Any

import pytest

from tests.reference_service.calling import Tenant, ok, pointers, problem
from tests.reference_service.running import Row

ADDRESS = {"street": "Domkloster 4", "city": "Köln", "postcode": "50667", "country": "DE"}
WHOLE = {"name": "Ada", "email": "ada@example.org", "address": ADDRESS}
PATCHES: list[tuple[Any, Any]] = [
    ({}, WHOLE),
    ({"name": "Bo"}, {**WHOLE, "name": "Bo"}),
    ({"address": {"city": "Bonn"}}, {**WHOLE, "address": {**ADDRESS, "city": "Bonn"}}),
    ({"address": {"postcode": None}}, {**WHOLE, "address": {**ADDRESS, "postcode": None}}),
    ({"address": {}}, WHOLE),
    ({"address": None}, {**WHOLE, "address": None}),
    ({"address": ADDRESS}, WHOLE),
]
BAD_PATCHES: list[tuple[Any, list[str]]] = [
    ({"name": None}, ["/body/name"]),
    ({"name": ""}, ["/body/name"]),
    ({"id": "7"}, ["/body/id"]),
    ({"created_at": "2026-01-01T00:00:00Z"}, ["/body/created_at"]),
    ({"address": {"city": None}}, ["/body/address/city"]),
    ({"address": {"city": 7, "zip": "1"}}, ["/body/address/city", "/body/address/zip"]),
    ({"address": "Bonn"}, ["/body/address"]),
    ([{"name": "Bo"}], ["/body"]),
    ("text", ["/body"]),
]


@pytest.fixture
def customer(tenant: Tenant) -> str:
    return tenant.customer(address=ADDRESS)


def stored(tenant: Tenant, customer: str) -> Row:
    return ok(tenant.get(f"/v1/customers/{customer}"))


def chosen(row: Row) -> Row:
    return {name: row[name] for name in WHOLE}


def test_put_replaces_all_and_changes_nothing_the_second_time(tenant: Tenant, customer: str) -> None:
    before = stored(tenant, customer)
    for _ in range(2):
        body = {"name": "Bo", "email": "bo@example.org"}
        replaced = ok(tenant.send("PUT", f"/v1/customers/{customer}", body))
        assert replaced == {**before, **body, "address": None} == stored(tenant, customer)


def test_put_makes_no_customer(tenant: Tenant, other_tenant: Tenant, customer: str) -> None:
    problem(tenant.send("PUT", "/v1/customers/999999", WHOLE), 404)
    problem(other_tenant.send("PUT", f"/v1/customers/{customer}", {**WHOLE, "name": "Mine"}), 404)
    problem(other_tenant.send("PATCH", f"/v1/customers/{customer}", {"name": "Mine"}), 404)
    problem(other_tenant.send("DELETE", f"/v1/customers/{customer}"), 404)
    assert chosen(stored(tenant, customer)) == WHOLE


@pytest.mark.parametrize(("patch", "result"), PATCHES)
def test_a_patch_changes_what_it_names(tenant: Tenant, customer: str, patch: Any, result: Any) -> None:
    before = stored(tenant, customer)
    patched = ok(tenant.send("PATCH", f"/v1/customers/{customer}", patch))
    assert patched == {**before, **result} == stored(tenant, customer)


@pytest.mark.parametrize(("patch", "faults"), BAD_PATCHES)
def test_a_bad_patch_changes_nothing(tenant: Tenant, customer: str, patch: Any, faults: list[str]) -> None:
    answer = tenant.send("PATCH", f"/v1/customers/{customer}", patch)
    assert pointers(problem(answer, 422, "invalid-request")) == faults
    assert chosen(stored(tenant, customer)) == WHOLE


def test_half_an_address_is_none(tenant: Tenant) -> None:
    customer = tenant.customer()
    answer = tenant.send("PATCH", f"/v1/customers/{customer}", {"address": {"city": "Bonn"}})
    faults = pointers(problem(answer, 422, "invalid-request"))
    assert faults == ["/body/address/street", "/body/address/country"]


def test_a_patch_says_that_it_is_one(tenant: Tenant, customer: str) -> None:
    answer = tenant.send("PATCH", f"/v1/customers/{customer}", {}, Content_Type="application/json")
    problem(answer, 415)
    assert answer.headers["Accept-Patch"] == "application/merge-patch+json"


def test_delete_is_done_once(tenant: Tenant, customer: str) -> None:
    path = f"/v1/customers/{customer}"
    assert tenant.send("DELETE", path).status_code == 204
    problem(tenant.send("DELETE", path), 404)
    problem(tenant.get(path), 404)
    problem(tenant.post(f"{path}/invoices", {"lines": []}), 422, "invalid-request")


def test_a_customer_with_invoices_stays(tenant: Tenant, customer: str) -> None:
    tenant.draft(customer)
    problem(tenant.send("DELETE", f"/v1/customers/{customer}"), 409, "customer-has-invoices")
    assert chosen(stored(tenant, customer)) == WHOLE
