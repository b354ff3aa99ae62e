"""Each row of each table in CONTRACT.md holds of the running service, and it has nothing beside them."""

import json
import re
from typing import Any

import pytest
from openapi_spec_validator import validate

from tests.reference_service.calling import Tenant, ok
from tests.reference_service.running import SERVICE, Database, Web, procfile

CONTRACT = (SERVICE / "CONTRACT.md").read_text()


def table(first_heading: str) -> list[list[str]]:
    """The rows of the table whose first column has this heading, back-ticks taken off."""
    lines = iter(CONTRACT.splitlines())
    for line in lines:
        if line.startswith(f"| {first_heading} |"):
            break
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return rows


@pytest.fixture(scope="module")
def document(web: Web) -> dict[str, Any]:
    return dict(web.call("GET", "/openapi.json").json())


def test_the_openapi_document_is_valid_and_is_the_one_in_the_folder(document: dict[str, Any]) -> None:
    validate(document)
    assert document == json.loads((SERVICE / "openapi.json").read_text())


def test_the_document_has_exactly_the_routes_of_the_table(document: dict[str, Any]) -> None:
    documented = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    promised = {(method, path) for method, path, *_ in table("method")}
    assert documented | {("GET", "/openapi.json")} == promised


@pytest.mark.parametrize(("method", "path", "statuses"), [row[:3] for row in table("method")])
def test_every_route_answers_as_the_table_says(tenant: Tenant, method: str, path: str, statuses: str) -> None:
    customer = tenant.customer()
    if method == "DELETE":
        gone = tenant.web.call("DELETE", path.replace("{customer_id}", customer), tenant=tenant.id)
        assert (gone.status_code, gone.content, gone.headers.get("Content-Type")) == (
            int(statuses),
            b"",
            None,
        )
        return
    invoice = tenant.draft(customer) if path.endswith("/send") else tenant.sent(customer)
    path = path.replace("{customer_id}", customer).replace("{number}", invoice["number"])
    path = path.replace("{invoice_id}", invoice["id"])
    if "{payment_id}" in path:
        paid = ok(tenant.post(f"/v1/invoices/{invoice['id']}/payments", {"amount_cents": 1}), 201)
        path = path.replace("{payment_id}", paid["id"])
    answer = tenant.send(method, path, body_for(method, path))
    ok(answer, int(statuses.split(",")[0]))
    assert "X-Request-ID" in answer.headers
    if answer.status_code == 201:
        found = ok(tenant.get(answer.headers["Location"]))
        assert found == answer.json()


def body_for(method: str, path: str) -> dict[str, Any] | None:
    if method == "GET":
        return None
    if path.endswith("/customers") or method in ("PUT", "PATCH"):
        return {"name": "Bo", "email": "bo@example.org"}
    if path.endswith("/invoices"):
        return {"lines": [{"description": "Work", "quantity": 1, "unit_price_cents": 1}]}
    if path.endswith("/send"):
        return {"due_on": "2026-01-31"}
    return {"amount_cents": 1} if path.endswith("/payments") else None


def test_documented_problems_are_those_of_the_table(document: dict[str, Any]) -> None:
    promised = {int(status) for status, *_ in table("status")}
    described = {
        int(status)
        for methods in document["paths"].values()
        for operation in methods.values()
        for status in operation["responses"]
        if int(status) >= 400
    }
    assert described | {405} == promised


def test_the_procfile_has_the_types_of_the_table() -> None:
    assert set(procfile()) <= {name for name, *_ in table("type")}
    assert {"release", "web"} <= set(procfile())


def test_the_database_has_exactly_the_tables_and_columns(database: Database) -> None:
    found: dict[str, list[str]] = {}
    for row in database.rows(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
    ):
        found.setdefault(row["table_name"], []).append(row["column_name"])
    promised = {name: re.findall(r"\w+", columns) for name, columns in table("table")}
    assert found == promised


def test_the_app_may_write_rows_and_change_no_structure(database: Database) -> None:
    privileges = database.rows(
        "SELECT table_name, array_agg(privilege_type::text ORDER BY privilege_type) AS may"
        " FROM information_schema.role_table_grants WHERE grantee = 'billing_app' GROUP BY 1"
    )
    assert {row["table_name"] for row in privileges} == {name for name, _ in table("table")}
    assert all(row["may"] == ["DELETE", "INSERT", "SELECT", "UPDATE"] for row in privileges)
    (row,) = database.rows("SELECT has_schema_privilege('billing_app', 'public', 'CREATE') AS may")
    assert row == {"may": False}
