"""An invoice's life through the API; what the service refuses becomes a Failure."""

import random
from typing import Any

from graders.lesson_02.shapes import PAYMENT, WITH_LINES, read
from graders.probes.api import Answer, Api

Json = dict[str, Any]


def lines(draw: random.Random) -> list[Json]:
    """Two lines; together some thousand cents."""
    return [
        {"description": "Consulting, hours", "quantity": draw.randrange(2, 9), "unit_price_cents": 9_500},
        {"description": "Travel", "quantity": 1, "unit_price_cents": draw.randrange(100, 4_000)},
    ]


def total(lines: list[Json]) -> int:
    return sum(int(line["quantity"] * line["unit_price_cents"]) for line in lines)


def ask_draft(http: Api, tenant: int, customer: object, body: Json) -> Answer:
    return http.post(f"/v1/customers/{customer}/invoices", tenant=tenant, json=body)


def draft(http: Api, tenant: int, customer: object, body: Json) -> Json:
    return read(ask_draft(http, tenant, customer, body), 201, WITH_LINES)


def ask_send(http: Api, tenant: int, id: object, due_on: str = "2026-03-31") -> Answer:
    return http.post(f"/v1/invoices/{id}/send", tenant=tenant, json={"due_on": due_on})


def ask_pay(http: Api, tenant: int, id: object, cents: int) -> Answer:
    return http.post(f"/v1/invoices/{id}/payments", tenant=tenant, json={"amount_cents": cents})


def pay(http: Api, tenant: int, id: object, cents: int) -> Json:
    return read(ask_pay(http, tenant, id, cents), 201, PAYMENT)


def fetched(http: Api, tenant: int, id: object) -> Json:
    return read(http.get(f"/v1/invoices/{id}", tenant=tenant), 200, WITH_LINES)
