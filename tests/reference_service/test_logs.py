"""Each request leaves the one line that CONTRACT.md describes."""

import re
from datetime import datetime

from tests.reference_service.calling import Tenant
from tests.reference_service.running import Web
from tests.reference_service.test_contract_tables import table


def test_a_line_has_the_fields_of_the_table(tenant: Tenant) -> None:
    customer = tenant.customer()
    answer = tenant.get(f"/v1/customers/{customer}/invoices", limit=5)
    line = tenant.web.line_of(answer)
    assert {name for name, _ in table("field")} <= set(line)
    assert datetime.fromisoformat(line["time"]).utcoffset() is not None
    assert line["duration_ms"] >= 0
    assert {
        "message": "request",
        "level": "info",
        "request_id": answer.headers["X-Request-ID"],
        "tenant_id": str(tenant.id),
        "method": "GET",
        "route": "/v1/customers/{customer_id}/invoices",
        "status": 200,
    }.items() <= line.items()


def test_routes_are_templates_of_the_contract_or_null(tenant: Tenant) -> None:
    routes = {path for _, path, *_ in table("method")}
    for path in (
        "/livez",
        "/v1/invoices/by-number/a/b",
        "/v1/customers/7/balance",
        "/v1/invoices/7/payments/8",
    ):
        line = tenant.web.line_of(tenant.get(path))
        assert line["route"] in routes
        assert re.sub(r"\{\w+\}", "", line["route"])[:12] == path[:12]
    assert tenant.web.line_of(tenant.get("/v1/nowhere"))["route"] is None


def test_a_refused_tenant_is_not_logged_as_one(web: Web) -> None:
    line = web.line_of(web.call("GET", "/v1/customers", headers={"X-Tenant-ID": "me"}))
    assert (line["tenant_id"], line["status"]) == (None, 400)


def test_no_line_holds_what_is_private(tenant: Tenant) -> None:
    secret = "hush-hush"
    tenant.post("/v1/customers", {"name": secret, "email": f"{secret}@example.org"})
    tenant.post("/v1/customers", {"name": secret, "email": secret, secret: secret})
    tenant.web.line_of(tenant.get(f"/v1/invoices/by-number/{secret}"))
    assert secret not in str(tenant.web.lines)
    assert tenant.database.server.app.password not in str(tenant.web.lines)
