"""The same request twice, about what is another tenant's and about what does not exist: the answers must be twins."""

import json
from collections.abc import Iterator, Mapping

from graders.check import expect
from graders.lesson_06.callers import MERGE_PATCH, Caller, Request
from graders.lesson_06.requests import LINES
from graders.lesson_06.world import MINE, THEIRS, World
from graders.probes.api import Answer

# Of the one answer, not of what was asked for.
OF_THE_ANSWER = {"date", "x-request-id", "connection", "keep-alive"}
BECAUSE = "Whoever can tell the two apart can count another company's invoices, one id after the other."

Pair = tuple[str, Request, Request, tuple[str, str]]


def pairs(world: World) -> Iterator[Pair]:
    """Role, request about theirs, request about nobody's, and the two ids."""
    invoice, payment, number = world.payment(THEIRS)
    sent, draft, customer = world.sent(THEIRS), world.draft(THEIRS), world.customer(THEIRS)
    user, own, own_invoice = world.spare_user(THEIRS), world.sent(), world.payment(MINE)[0]
    patch = tuple(MERGE_PATCH.items())
    forms: tuple[tuple[str, str, str, str, object], ...] = (
        ("viewer", "GET", "/v1/customers/{}", customer, None),
        ("viewer", "GET", "/v1/customers/{}/balance", customer, None),
        ("viewer", "GET", "/v1/customers/{}/invoices", customer, None),
        ("viewer", "GET", "/v1/invoices/{}", invoice, None),
        ("accountant", "GET", "/v1/invoices/{}/payments/" + payment, invoice, None),
        ("accountant", "GET", f"/v1/invoices/{own_invoice}/payments/{{}}", payment, None),
        ("admin", "GET", "/v1/users/{}", user, None),
        ("clerk", "POST", "/v1/customers/{}/invoices", customer, {"lines": LINES}),
        ("clerk", "PUT", "/v1/customers/{}", customer, {"name": "Mallory", "email": "m@example.org"}),
        ("clerk", "POST", "/v1/customers/{}/invoices", customer, {"lines": LINES, "number": number}),
        ("admin", "DELETE", "/v1/customers/{}", customer, None),
        ("viewer", "HEAD", "/v1/customers/{}", customer, None),
        ("viewer", "HEAD", "/v1/invoices/{}", invoice, None),
        ("clerk", "POST", "/v1/invoices/{}/send", sent, {"due_on": "2026-12-31"}),
        ("accountant", "POST", "/v1/invoices/{}/void", invoice, None),
        ("accountant", "POST", "/v1/invoices/{}/payments", draft, {"amount_cents": 1}),
        ("accountant", "POST", "/v1/invoices/{}/payments", sent, {"amount_cents": 900_000_000}),
    )
    for role, method, form, id, body in forms:
        nobodys = world.nobodys_id()
        yield (
            role,
            Request(method, form.format(id), body),
            Request(method, form.format(nobodys), body),
            (id, nobodys),
        )
    nobodys = world.nobodys_id()
    users = [Request("PATCH", f"/v1/users/{each}", {"role": "clerk"}, patch) for each in (user, nobodys)]
    yield "admin", users[0], users[1], (user, nobodys)
    customers = [
        Request("PATCH", f"/v1/customers/{each}", {"name": "Mallory"}, patch) for each in (customer, nobodys)
    ]
    yield "clerk", customers[0], customers[1], (customer, nobodys)
    only_theirs = world.only_theirs_number()
    numbers = [Request("GET", f"/v1/invoices/by-number/{each}") for each in (only_theirs, f"{only_theirs}0")]
    yield "viewer", numbers[0], numbers[1], (only_theirs, f"{only_theirs}0")
    bulk = [
        Request("POST", "/v1/admin/invoices/void", {"invoice_ids": [own, each]})
        for each in (invoice, nobodys)
    ]
    yield "accountant", bulk[0], bulk[1], (invoice, nobodys)


def expect_alike(caller: Caller, theirs: Request, nobodys: Request, ids: tuple[str, str]) -> None:
    """Both are refused, and but for the id there is no difference."""
    first, second = caller.ask(theirs), caller.ask(nobodys)
    difference = _difference(first, second, ids)
    expect(
        not difference,
        expected=f"The same answer for {ids[0]}, which is another tenant's, and for {ids[1]}, which is nobody's.",
        got=difference,
        because=BECAUSE,
        did=f"{first.did}\n{second.did}",
    )


def _difference(first: Answer, second: Answer, ids: tuple[str, str]) -> str:
    """The first difference in words; empty where there is none."""
    if first.status != second.status or first.status < 400:
        return f"theirs:   {first.summary()}\nnobody's: {second.summary()}"
    if _body(first, ids[0]) != _body(second, ids[1]):
        return f"theirs:   {first.summary()}\nnobody's: {second.summary()}"
    one, other = _headers(first, ids[0]), _headers(second, ids[1])
    for name in sorted({*one, *other}):
        if one.get(name) != other.get(name):
            return f"theirs:   {name}: {one.get(name)}\nnobody's: {name}: {other.get(name)}"
    return ""


def _headers(answer: Answer, id: str) -> Mapping[str, str]:
    return {
        name.lower(): value.replace(id, "ID")
        for name, value in answer.headers.items()
        if name.lower() not in OF_THE_ANSWER
    }


def _body(answer: Answer, id: str) -> object:
    """The body, without the id and what is of the one occurrence: the request's id, `instance` (RFC 9457, section 3.1.5)."""
    request_id = answer.headers.get("X-Request-ID") or id
    body = answer.json() if answer.body else None
    if isinstance(body, dict):
        body.pop("instance", None)
    return json.dumps(body, ensure_ascii=False).replace(id, "ID").replace(request_id, "ID")
