"""The three creations that may be repeated, and what a repetition must be answered."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, LiteralString

from graders.check import expect
from graders.lesson_02 import customers, invoices
from graders.lesson_02.located import path_of
from graders.lesson_02.pointers import pointers
from graders.lesson_02.population import Population
from graders.probes.api import Answer, Api
from graders.probes.postgres import Postgres

BECAUSE = "After a lost answer nobody knows whether it was done. Without a key that works, people pay twice."
KEY_POINTER = "/header/idempotency-key"


@dataclass(frozen=True)
class Creation:
    """One request that creates. `other` is a body that differs; `elsewhere` a path at which the same body would create."""

    tenant: int
    path: str
    body: dict[str, Any]
    other: dict[str, Any]
    counted: LiteralString
    holder: int
    locked: LiteralString
    elsewhere: str = ""

    @staticmethod
    def of_customer(tenant: int, body: dict[str, Any]) -> "Creation":
        counted: LiteralString = "SELECT count(*) FROM public.customers WHERE tenant_id = %s"
        locked: LiteralString = "SELECT FROM tenants WHERE id = %s FOR UPDATE"
        other = {**body, "name": body["name"] + " II"}
        return Creation(tenant, "/v1/customers", body, other, counted, tenant, locked)

    @staticmethod
    def of_invoice(tenant: int, customer: str, body: dict[str, Any], another: str = "") -> "Creation":
        counted: LiteralString = "SELECT count(*) FROM public.invoices WHERE customer_id = %s"
        locked: LiteralString = "SELECT FROM customers WHERE id = %s FOR UPDATE"
        other = {"lines": body["lines"][:1]}
        path, elsewhere = (f"/v1/customers/{id}/invoices" for id in (customer, another))
        return Creation(tenant, path, body, other, counted, int(customer), locked, elsewhere)

    @staticmethod
    def of_payment(tenant: int, invoice: str, cents: int, another: str = "") -> "Creation":
        counted: LiteralString = "SELECT count(*) FROM public.payments WHERE invoice_id = %s"
        locked: LiteralString = "SELECT FROM invoices WHERE id = %s FOR UPDATE"
        path, elsewhere = (f"/v1/invoices/{id}/payments" for id in (invoice, another))
        body, other = {"amount_cents": cents}, {"amount_cents": cents + 1}
        return Creation(tenant, path, body, other, counted, int(invoice), locked, elsewhere)

    def ask(self, http: Api, key: str, body: dict[str, Any] | None = None) -> Answer:
        headers = {"Idempotency-Key": key}
        return http.send("POST", self.path, tenant=self.tenant, json=body or self.body, headers=headers)

    def count(self, postgres: Postgres) -> int:
        """How many there are where this creation adds one."""
        return int(postgres.value(self.counted, [self.holder]))

    def change(self, http: Api, made: Answer) -> None:
        """Change what was made, where that can be done: the first answer stays what it was."""
        id = made.json()["id"]
        if self.path == "/v1/customers":
            customers.put(http, self.tenant, id, {**self.body, "name": "Renamed"}).expect(
                200, because=BECAUSE
            )
        elif self.path.endswith("/invoices"):
            invoices.ask_send(http, self.tenant, id).expect(200, because=BECAUSE)


def creations(people: Population, tenant: int, draw: random.Random) -> Iterator[Creation]:
    """One of each kind."""
    yield Creation.of_customer(tenant, customers.new(draw))
    customer, another = people.two_free_customers(tenant, draw)
    yield Creation.of_invoice(tenant, customer, {"lines": invoices.lines(draw)}, another)
    paid, other = people.two_invoices(tenant, "sent", draw)
    yield Creation.of_payment(tenant, paid.id, draw.randrange(1, 9), other.id)


def _expect_reused(first: Answer, answer: Answer, what: str) -> None:
    expect_key_refused(
        answer,
        "idempotency-key-reused",
        what,
        because="The caller has mixed up two requests. The answer to the first would tell it that the second is done.",
        did=f"{first.did}\n{answer.did}",
    )


def expect_key_refused(answer: Answer, kind: str, what: str, *, because: str, did: str) -> None:
    """422 of this type, with the pointer to the header and to nothing else."""
    body = answer.json() if answer.status >= 400 else None
    got = str(body.get("type", "none")) if isinstance(body, dict) else "none"
    pointed = [one.lower() for one in pointers(answer)] if answer.status >= 400 else []
    expect(
        answer.status == 422 and got.endswith(f":{kind}") and pointed == [KEY_POINTER],
        expected=f"Status 422, type urn:problem-type:billing:{kind}, an error that points at "
        f"/header/Idempotency-Key: {what}.",
        got=f"type {got[:100]}, errors point at {', '.join(pointed) or 'nothing'}\n{answer.summary()}",
        because=because,
        did=did,
    )


def new_key(draw: random.Random) -> str:
    return f"order {draw.randrange(10**9)}/{draw.choice('abcdefgh')}"


def is_same(first: Answer, again: Answer) -> bool:
    """Status, body, and the path in Location: the address before it may be that of whoever was asked."""
    places = [path_of(answer.headers.get("Location", ""), "/") for answer in (first, again)]
    return again.status == first.status == 201 and again.json() == first.json() and places[0] == places[1]


def expect_same(first: Answer, again: Answer, where: str = "") -> None:
    """The second answer is the first one: status, Location, and body."""
    location = first.headers.get("Location")
    asked = f", {where}" if where else ""
    expect(
        is_same(first, again),
        expected=f"The answer of the first time{asked}: status 201, Location: {location}\n{first.summary()}",
        got=f"{again.summary()}\nLocation: {again.headers.get('Location', 'none')}",
        because=BECAUSE,
        did=f"{first.did}\n{again.did}",
    )


def expect_reuse_refused(http: Api, postgres: Postgres, creation: Creation, key: str) -> None:
    """422, idempotency-key-reused, with the pointer to the header; and nothing created."""
    first = creation.ask(http, key).expect(201, because="This request is in order.")
    there = creation.count(postgres)
    answer = creation.ask(http, key, creation.other)
    _expect_reused(first, answer, "the key came with another body before")
    if creation.elsewhere:
        answer = replace(creation, path=creation.elsewhere).ask(http, key)
        _expect_reused(first, answer, "the key came with another path before")
    made = creation.count(postgres) - there
    expect(
        made == 0,
        expected="Nothing is created.",
        got=f"{made} rows more",
        because=BECAUSE,
        did=answer.did,
    )
