"""HEAD answers as GET does; what nobody speaks is refused; a query parameter that is not there is a fault."""

import pytest

from tests.reference_service.calling import Tenant, ok, pointers, problem

OF_THE_ONE_ANSWER = {"date", "x-request-id", "connection"}


def test_head_is_get_without_a_body(tenant: Tenant) -> None:
    customer = tenant.customer()
    for path in ("/livez", "/readyz", "/openapi.json", "/v1/customers", f"/v1/customers/{customer}",
                 f"/v1/customers/{customer}/balance", "/v1/customers/0", "/v1/customers?limit=0", "/nowhere",
                 "/v1/invoices/1/send"):  # fmt: skip
        get, head = (tenant.web.call(method, path, tenant=tenant.id) for method in ("GET", "HEAD"))
        assert head.content == b""
        same = [{name.lower(): value for name, value in answer.headers.items()} for answer in (get, head)]
        for headers in same:
            for name in OF_THE_ONE_ANSWER:
                headers.pop(name, None)
        assert (head.status_code, same[1]) == (get.status_code, same[0])
        assert tenant.web.line_of(head)["method"] == "HEAD"
    assert tenant.web.line_of(tenant.web.call("HEAD", "/livez"))["route"] == "/livez"


@pytest.mark.parametrize(
    ("accept", "taken"),
    [
        ("*/*", True), ("application/json", True), ("APPLICATION/JSON;charset=utf-8", True), ("", True),
        ("text/html, application/*;q=0.1", True), ("text/html, */*;q=0.8", True), ("application/json; q=0.001", True),
        ("text/html", False), ("application/xml, text/*", False), ("application/json;q=0", False),
        ("*/*;q=0", False), ("application/json;q=0.000, */*", False), ("application/hal+json", False),
    ],
)  # fmt: skip
def test_who_takes_no_json_gets_406_and_nothing_is_done(tenant: Tenant, accept: str, taken: bool) -> None:
    body = {"name": "Ada", "email": "ada@example.org"}
    answer = tenant.send("POST", "/v1/customers", body, Accept=accept)
    if taken:
        ok(answer, 201)
    else:
        problem(answer, 406)
    assert len(ok(tenant.get("/v1/customers"))["items"]) == taken


def test_an_unknown_query_parameter_is_a_fault_everywhere(tenant: Tenant) -> None:
    customer = tenant.customer()
    draft = tenant.draft(customer)
    for method, path, body in (
        ("GET", "/v1/customers", None),
        ("GET", f"/v1/customers/{customer}", None),
        ("GET", f"/v1/customers/{customer}/invoices", None),
        ("GET", "/v1/invoices/overdue", None),
        ("PUT", f"/v1/customers/{customer}", {"name": "Bo", "email": "b@c"}),
        ("PATCH", f"/v1/customers/{customer}", {"name": "Bo"}),
        ("DELETE", f"/v1/customers/{tenant.customer()}", None),
        ("POST", f"/v1/invoices/{draft['id']}/void", None),
    ):
        answer = tenant.send(method, f"{path}?sta/tus=paid", body)
        assert pointers(problem(answer, 422, "invalid-request")) == ["/query/sta~1tus"]
    assert ok(tenant.get(f"/v1/customers/{customer}"))["name"] == "Ada"
    assert ok(tenant.get(f"/v1/invoices/{draft['id']}"))["status"] == "draft"
