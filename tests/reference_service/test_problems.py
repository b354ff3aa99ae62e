"""Every failure is a problem of its promised kind, also those that no handler of ours sees."""

import pytest

from tests.reference_service.calling import Tenant, ok, problem
from tests.reference_service.running import Database, Web, started, web_env

JSON = {"Content-Type": "application/json"}
CUSTOMER = {"name": "Ada", "email": "ada@example.org"}


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/customers/", "/v1/customers/1/", "/v2/customers", "/docs"])
def test_no_such_path(tenant: Tenant, path: str) -> None:
    problem(tenant.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/customers", "GET, HEAD, POST"),
        ("POST", "/v1/customers/1", "DELETE, GET, HEAD, PATCH, PUT"),
        ("PATCH", "/v1/customers/1/invoices", "GET, HEAD, POST"),
        ("GET", "/v1/invoices/1/send", "POST"),
        ("GET", "/v1/invoices/1/payments", "POST"),
        ("POST", "/v1/invoices/overdue", "GET, HEAD"),
        ("POST", "/livez", "GET, HEAD"),
    ],
)
def test_another_method_is_told_which_there_are(tenant: Tenant, method: str, path: str, allowed: str) -> None:
    answer = tenant.web.call(method, path, tenant=tenant.id)
    problem(answer, 405)
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("body", [b"{", b"", b"{'a': 1}", b"\xff", b"[" * 100_000, b'{"name": "\xe9"}'])
def test_what_is_no_json(tenant: Tenant, body: bytes) -> None:
    answer = tenant.web.call("POST", "/v1/customers", tenant=tenant.id, data=body, headers=JSON)
    if body:
        problem(answer, 400)
    else:
        problem(answer, 422, "invalid-request")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_another_media_type(tenant: Tenant, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}
    body = b'{"name": "Ada", "email": "ada@example.org"}'
    problem(tenant.web.call("POST", "/v1/customers", tenant=tenant.id, data=body, headers=headers), 415)


def test_json_with_a_charset_is_json(tenant: Tenant) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    body = '{"name": "Zoë", "email": "zoe@example.org"}'.encode()
    answer = tenant.web.call("POST", "/v1/customers", tenant=tenant.id, data=body, headers=headers)
    assert ok(answer, 201)["name"] == "Zoë"


def test_a_body_that_is_too_large_however_it_is_sent(tenant: Tenant) -> None:
    whole = b" " * (262_144 - 43) + b'{"name": "Ada", "email": "ada@example.org"}'
    for body in (whole + b" ", iter([whole, b" "])):
        problem(tenant.web.call("POST", "/v1/customers", tenant=tenant.id, data=body, headers=JSON), 413)
    ok(tenant.web.call("POST", "/v1/customers", tenant=tenant.id, data=whole, headers=JSON), 201)


def test_a_failure_that_nobody_foresaw_leaks_nothing_and_is_logged_once(
    database: Database, base_env: dict[str, str]
) -> None:
    tenant = database.add_tenant()
    database.execute("ALTER TABLE customers RENAME COLUMN email TO mail")
    with started(web_env(database, base_env)) as web:
        answer = web.call("POST", "/v1/customers", tenant=tenant, json=CUSTOMER)
        body = problem(answer, 500)
        assert not {"email", "customers", "column", "Error"} & set(str(body).split())
        assert web.line_of(answer)["status"] == 500
        lines = [line for line in web.lines if line.get("request_id") == answer.headers["X-Request-ID"]]
        (error,) = [line for line in lines if line["level"] == "error"]
        assert "UndefinedColumn" in error["stack"]
        database.execute("ALTER TABLE customers RENAME COLUMN mail TO email")
        ok(web.call("POST", "/v1/customers", tenant=tenant, json=CUSTOMER), 201)


def test_an_answer_carries_the_id_that_the_request_came_with(web: Web) -> None:
    for given, kept in (("abc-1.2_3", True), ("a b", False), ("x" * 129, False), ("", False)):
        answer = web.call("GET", "/livez", headers={"X-Request-ID": given})
        assert (answer.headers["X-Request-ID"] == given) is kept
        assert web.line_of(answer)
