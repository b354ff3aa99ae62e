"""Bodies of customers, and what a check does with them; what the service refuses becomes a Failure."""

import random
from typing import Any

from graders.check import expect
from graders.lesson_02.shapes import CUSTOMER, read
from graders.probes.api import Answer, Api

Json = dict[str, Any]

PATCH = {"Content-Type": "application/merge-patch+json"}
NAMES = ("Ada", "Grace", "Edsger", "Barbara", "Konrad", "Zoë", "Čapek", "Ōkawa")
CITIES = ("Köln", "Bergen", "Łódź", "Porto", "Ghent", "Brno")


def new(draw: random.Random, *, address: bool = True) -> Json:
    """A body that makes a customer; each time another one."""
    tag = f"{draw.randrange(36**6):x}"
    body: Json = {"name": f"{draw.choice(NAMES)} {tag}", "email": f"{tag}@customer.example"}
    if address:
        body["address"] = {
            "street": f"Hafenstraße {draw.randrange(1, 200)}",
            "city": draw.choice(CITIES),
            "postcode": f"{draw.randrange(10_000, 99_999)}",
            "country": draw.choice(("DE", "NO", "PL", "PT", "BE", "CZ")),
        }
    return body


def created(http: Api, tenant: int, body: Json) -> Json:
    return read(http.post("/v1/customers", tenant=tenant, json=body), 201, CUSTOMER)


def fetched(http: Api, tenant: int, id: object) -> Json:
    return read(http.get(f"/v1/customers/{id}", tenant=tenant), 200, CUSTOMER)


def put(http: Api, tenant: int, id: object, body: Json) -> Answer:
    return http.send("PUT", f"/v1/customers/{id}", tenant=tenant, json=body)


def patch(http: Api, tenant: int, id: object, change: object) -> Answer:
    return http.send("PATCH", f"/v1/customers/{id}", tenant=tenant, json=change, headers=PATCH)


def chosen(customer: Json) -> Json:
    """What callers may choose of a customer."""
    return {name: customer[name] for name in ("name", "email", "address")}


def expect_chosen(answer: Answer, customer: Json, right: Json, because: str) -> None:
    """The customer says what was chosen; what was left out is null."""
    wanted = {"address": None, **right}
    for name, value in wanted.items():
        expect(
            customer[name] == value,
            expected=f"{name} is {value!r}.",
            got=f"{name} is {customer[name]!r}\n{answer.summary()}",
            because=because,
            did=answer.did,
        )
