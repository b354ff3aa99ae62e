"""How a test calls the service as one tenant, and reads its answers."""

import json
from dataclasses import dataclass

import requests

from tests.reference_service.running import Database, Row, Web


@dataclass(frozen=True)
class Tenant:
    """A tenant of a running service."""

    web: Web
    database: Database
    id: int

    def get(self, path: str, **query: object) -> requests.Response:
        return self.web.call("GET", path, tenant=self.id, params=query)

    def post(self, path: str, body: object | None = None) -> requests.Response:
        options = {} if body is None else {"json": body}
        return self.web.call("POST", path, tenant=self.id, **options)

    def send(self, method: str, path: str, body: object | None = None, **headers: str) -> requests.Response:
        """With the media type that the method wants."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        data = None if body is None else json.dumps(body).encode()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.web.call(
            method, path, tenant=self.id, data=data, headers={"Content-Type": kind, **headers}
        )

    def customer(self, **more: object) -> str:
        body = {"name": "Ada", "email": "ada@example.org", **more}
        return str(ok(self.post("/v1/customers", body), 201)["id"])

    def draft(self, customer: str, cents: int = 1000, **more: object) -> Row:
        lines = [{"description": "Work", "quantity": 1, "unit_price_cents": cents}]
        return ok(self.post(f"/v1/customers/{customer}/invoices", {"lines": lines, **more}), 201)

    def sent(self, customer: str, cents: int = 1000, due_on: str = "2026-01-31") -> Row:
        draft = self.draft(customer, cents)
        return ok(self.post(f"/v1/invoices/{draft['id']}/send", {"due_on": due_on}))


def ok(response: requests.Response, status: int = 200) -> Row:
    """The body of an answer that must have this status."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/json"
    return dict(response.json())


def problem(response: requests.Response, status: int, name: str = "") -> Row:
    """The problem details of an answer that must be this problem; `name` is the end of its type."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    body = dict(response.json())
    assert body["type"] == (f"urn:problem-type:billing:{name}" if name else "about:blank")
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


def pointers(body: Row) -> list[str]:
    """What the faults of a 422 point at."""
    return [fault["pointer"] for fault in body["errors"]]
