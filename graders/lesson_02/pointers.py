"""Every fault of a request is named, each with a JSON Pointer (RFC 6901) to its place."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graders.check import expect
from graders.lesson_02 import customers, invoices
from graders.lesson_02.population import Population
from graders.probes.api import Answer, Api

BECAUSE = "A form marks the fields that are wrong, all at once; without pointers somebody must parse prose."


@dataclass(frozen=True)
class Faulty:
    """A request and the places of its faults, no more and no fewer."""

    method: str
    path: str
    body: object
    pointers: tuple[str, ...]


def faulty(people: Population, tenant: int, draw: random.Random) -> Iterator[Faulty]:
    """Several faults at once, deep ones, missing fields, wrong types; in each kind of request."""
    customer = people.free_customer(tenant, draw)
    path = f"/v1/customers/{customer}"
    # A draft can be sent, a sent one be paid: the status is no fault beside the one that is meant.
    draft, sent = (people.invoice(tenant, status, draw) for status in ("draft", "sent"))
    good, line = customers.new(draw), invoices.lines(draw)[0]
    address = good["address"]
    yield Faulty("POST", "/v1/customers", {"name": "", "email": "ada"}, ("/body/name", "/body/email"))
    yield Faulty("POST", "/v1/customers", {}, ("/body/name", "/body/email"))
    yield Faulty("POST", "/v1/customers", {**good, "name": 7}, ("/body/name",))
    yield Faulty("POST", "/v1/customers", {**good, "name": "a\nb"}, ("/body/name",))
    bad_address = {**good, "address": {**address, "city": "", "country": "Germany"}}
    yield Faulty("POST", "/v1/customers", bad_address, ("/body/address/city", "/body/address/country"))
    yield Faulty("PUT", path, {"email": good["email"], "address": {}}, (
        "/body/name", "/body/address/street", "/body/address/city", "/body/address/country",
    ))  # fmt: skip
    yield Faulty("PATCH", path, {"name": None, "email": "x" * 300}, ("/body/name", "/body/email"))
    bad_lines = [line, {**line, "quantity": 0}, {**line, "unit_price_cents": "100", "description": ""}]
    yield Faulty("POST", f"{path}/invoices", {"lines": bad_lines, "number": " 7"}, (
        "/body/lines/1/quantity", "/body/lines/2/unit_price_cents", "/body/lines/2/description", "/body/number",
    ))  # fmt: skip
    yield Faulty("POST", f"{path}/invoices", {"lines": []}, ("/body/lines",))
    free = [{**line, "unit_price_cents": 0}]
    yield Faulty("POST", f"{path}/invoices", {"lines": free}, ("/body/lines",))
    yield Faulty("POST", f"/v1/invoices/{draft.id}/send", {"due_on": "2026-02-30"}, ("/body/due_on",))
    yield Faulty("POST", f"/v1/invoices/{sent.id}/payments", {"amount_cents": -1}, ("/body/amount_cents",))
    yield Faulty("POST", f"/v1/invoices/{sent.id}/payments", {"amount_cents": True}, ("/body/amount_cents",))
    yield Faulty("GET", "/v1/customers?limit=0", None, ("/query/limit",))
    yield from _beyond(path, good, line)
    yield Faulty("GET", "/v1/customers?cursor=not-one-of-yours", None, ("/query/cursor",))
    yield Faulty("GET", "/v1/invoices/overdue?as_of=soon&limit=many", None, ("/query/as_of", "/query/limit"))


def _beyond(path: str, good: dict[str, Any], line: dict[str, Any]) -> Iterator[Faulty]:
    """One more than the promised bounds."""
    for a_list in ("/v1/customers", f"{path}/invoices", "/v1/invoices/overdue"):
        yield Faulty("GET", f"{a_list}?limit=101", None, ("/query/limit",))
    long = {**good, "name": "n" * 201, "email": f"{'e' * 250}@a.de"}
    yield Faulty("POST", "/v1/customers", long, ("/body/name", "/body/email"))
    address = {**good["address"], "street": "s" * 201, "country": "de"}
    wrong = ("/body/address/street", "/body/address/country")
    yield Faulty("PUT", path, {**good, "address": address}, wrong)
    draft = {"lines": [{**line, "quantity": 1_000_001}], "number": "7" * 65}
    yield Faulty("POST", f"{path}/invoices", draft, ("/body/lines/0/quantity", "/body/number"))
    yield Faulty("POST", f"{path}/invoices", {"lines": [line] * 101}, ("/body/lines",))


def unknown(people: Population, tenant: int, draw: random.Random) -> Iterator[Faulty]:
    """Fields and query parameters that nobody promised."""
    customer = people.free_customer(tenant, draw)
    path = f"/v1/customers/{customer}"
    draft, sent = (people.invoice(tenant, status, draw) for status in ("draft", "sent"))
    good, line = customers.new(draw), invoices.lines(draw)[0]
    yield Faulty("POST", "/v1/customers", {**good, "vip": True}, ("/body/vip",))
    yield Faulty("POST", "/v1/customers", {**good, "a/b~c": 1}, ("/body/a~1b~0c",))
    in_address = {**good, "address": {**good["address"], "zip": "1"}}
    yield Faulty("POST", "/v1/customers", in_address, ("/body/address/zip",))
    yield Faulty("PUT", path, {**good, "id": "7"}, ("/body/id",))
    yield Faulty("PATCH", path, {"created_at": "2026-01-01T00:00:00Z"}, ("/body/created_at",))
    yield Faulty("PATCH", path, {"address": {**good["address"], "zip": "1"}}, ("/body/address/zip",))
    lines = {"lines": [{**line, "tax": 19}], "status": "paid"}
    yield Faulty("POST", f"{path}/invoices", lines, ("/body/lines/0/tax", "/body/status"))
    payment = {"amount_cents": 1, "currency": "EUR"}
    yield Faulty("POST", f"/v1/invoices/{sent.id}/payments", payment, ("/body/currency",))
    for asked in ("/v1/customers?limti=5", f"{path}?fields=name", f"{path}/invoices?status=paid",
                  "/v1/invoices/overdue?asof=2026-01-01", f"/v1/invoices/{draft.id}?expand=lines"):  # fmt: skip
        yield Faulty("GET", asked, None, (f"/query/{asked.partition('?')[2].partition('=')[0]}",))
    yield Faulty("POST", "/v1/customers?dry_run=1", good, ("/query/dry_run",))
    yield Faulty("POST", f"/v1/invoices/{draft.id}/void?force=1", None, ("/query/force",))
    yield Faulty("DELETE", f"{path}?cascade=1", None, ("/query/cascade",))
    yield Faulty("PUT", f"{path}?upsert=1", good, ("/query/upsert",))
    yield Faulty("PATCH", f"{path}?deep=1", {"name": good["name"]}, ("/query/deep",))
    yield Faulty("GET", f"{path}/balance?on=2026-01-01", None, ("/query/on",))
    yield Faulty("POST", f"{path}/invoices?send=1", {"lines": [line]}, ("/query/send",))
    due, cents = {"due_on": "2026-03-31"}, {"amount_cents": 1}
    yield Faulty("POST", f"/v1/invoices/{draft.id}/send?mail=1", due, ("/query/mail",))
    yield Faulty("POST", f"/v1/invoices/{sent.id}/payments?book=1", cents, ("/query/book",))
    paid = people.invoice(tenant, "paid", draw)
    booked = f"/v1/invoices/{paid.id}/payments/{people.payment(paid)}"
    yield Faulty("GET", f"{booked}?expand=invoice", None, ("/query/expand",))
    number = f"/v1/invoices/by-number/{paid.number}"
    yield Faulty("GET", f"{number}?expand=lines", None, ("/query/expand",))


def expect_pointed(http: Api, tenant: int, request: Faulty) -> None:
    """422, and `errors` points at these places; at no others, but for what they are part of."""
    headers = customers.PATCH if request.method == "PATCH" else {}
    answer = http.send(request.method, request.path, tenant=tenant, json=request.body, headers=headers)
    wanted = f"Status 422, with errors that point at {', '.join(request.pointers)}"
    expect(answer.status == 422, expected=f"{wanted}.", got=answer.summary(), because=BECAUSE, did=answer.did)
    got = pointers(answer)
    more = [one for one in got if not any(f"{wanted}/".startswith(f"{one}/") for wanted in request.pointers)]
    expect(
        not more and set(request.pointers) <= set(got),
        expected=f"{wanted}, and at nothing else.",
        got=f"errors point at {', '.join(got) or 'nothing'}\n{answer.summary()}",
        because=BECAUSE,
        did=answer.did,
    )


def pointers(answer: Answer) -> list[str]:
    """What the errors of a problem point at, each once."""
    body: Any = answer.json()
    errors = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(errors, list):
        return []
    return sorted({str(one.get("pointer")) for one in errors if isinstance(one, dict)})
