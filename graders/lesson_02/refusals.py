"""The ways in which the service says no: one request for each, ordinary ones that real clients send."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from graders.check import Failure, expect
from graders.lesson_02 import customers, invoices
from graders.lesson_02.population import Population
from graders.probes.api import Answer, Api

BILLING = "urn:problem-type:billing:"
BECAUSE_STATUS = "Status codes are what programs act on: retry, give up, mend the request, tell the user."


@dataclass(frozen=True)
class Refusal:
    """A request that must be refused, and with what. `what` says it in words; `tenant` None: no header for it.

    `or_type`: another type that is true as well, where two things are wrong at once.
    """

    what: str
    status: int
    method: str
    path: str
    tenant: int | None
    json: object = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    type: str = "about:blank"
    or_type: str = ""

    def ask(self, http: Api) -> Answer:
        return http.send(
            self.method, self.path, tenant=self.tenant, json=self.json, body=self.body, headers=self.headers
        )

    def expect(self, http: Api) -> Answer:
        """The answer, which must have the promised status."""
        answer = self.ask(http)
        if answer.status != self.status:
            raise Failure(
                expected=f"Status {self.status}: {self.what}.",
                got=answer.summary(),
                because=BECAUSE_STATUS,
                did=answer.did,
            )
        return answer


def not_found(people: Population, tenant: int, draw: random.Random) -> Iterator[Refusal]:
    """What is not there: paths, ids that could be and that can't, another tenant's things."""
    theirs = people.invoice(people.other(tenant), "sent", draw)
    for path, what in (
        ("/v1/nowhere", "there is nothing at this path"),
        ("/v1/customers/", "a path with a slash at its end is another path"),
        ("/v1/customers/999999999", "no customer has this id"),
        ("/v1/customers/not-an-id", "an id that can't exist is not found"),
        (f"/v1/customers/{theirs.customer_id}", "this customer is another tenant's"),
        (f"/v1/customers/{theirs.customer_id}/balance", "this customer is another tenant's"),
        (f"/v1/customers/{theirs.customer_id}/invoices", "this customer is another tenant's"),
        ("/v1/invoices/999999999", "no invoice has this id"),
        (f"/v1/invoices/{theirs.id}", "this invoice is another tenant's"),
        ("/v1/invoices/by-number/NOBODY-HAS-THIS", "no invoice has this number"),
        (f"/v1/invoices/{people.invoice(tenant, 'paid', draw).id}/payments/999999999", "no such payment"),
    ):
        yield Refusal(what, 404, "GET", path, tenant)
    yield Refusal(
        "no customer has this id", 404, "PUT", "/v1/customers/999999999", tenant, customers.new(draw)
    )
    patch = Refusal("no such customer", 404, "PATCH", "/v1/customers/999999999", tenant, {"name": "Ada"})
    yield Refusal(**{**vars(patch), "headers": customers.PATCH})
    yield Refusal("no customer has this id", 404, "DELETE", "/v1/customers/999999999", tenant)
    lines = {"lines": invoices.lines(draw)}
    yield Refusal("no such customer", 404, "POST", "/v1/customers/999999999/invoices", tenant, lines)
    yield Refusal("no such invoice", 404, "POST", "/v1/invoices/999999999/void", tenant)
    yield from _anothers(people, tenant, draw)


def _anothers(people: Population, tenant: int, draw: random.Random) -> Iterator[Refusal]:
    """Every change of another tenant's things: each would work if it were the owner's."""
    other = people.other(tenant)
    sent, draft, paid = (people.invoice(other, status, draw) for status in ("sent", "draft", "paid"))
    customer = f"/v1/customers/{people.free_customer(other, draw)}"
    what = "this customer is another tenant's"
    yield Refusal(what, 404, "PUT", customer, tenant, customers.new(draw))
    yield Refusal(what, 404, "PATCH", customer, tenant, {"name": "Ada"}, headers=customers.PATCH)
    yield Refusal(what, 404, "POST", f"{customer}/invoices", tenant, {"lines": invoices.lines(draw)})
    yield Refusal(what, 404, "DELETE", customer, tenant)
    what = "this invoice is another tenant's"
    yield Refusal(what, 404, "POST", f"/v1/invoices/{sent.id}/payments", tenant, {"amount_cents": 1})
    yield Refusal(what, 404, "POST", f"/v1/invoices/{draft.id}/send", tenant, {"due_on": "2026-03-31"})
    yield Refusal(what, 404, "POST", f"/v1/invoices/{draft.id}/void", tenant)
    yield Refusal(what, 404, "GET", f"/v1/invoices/{paid.id}/payments/{people.payment(paid)}", tenant)


def conflicts(people: Population, tenant: int, draw: random.Random) -> Iterator[Refusal]:
    """What the state of things is against."""
    sent, paid, void = (people.invoice(tenant, status, draw) for status in ("sent", "paid", "void"))
    draft = people.invoice(tenant, "draft", draw)
    due = {"due_on": "2026-03-31"}
    wrong = f"{BILLING}wrong-status"
    for what, step, body in (
        ("a sent invoice can't be sent again", f"{sent.id}/send", due),
        ("a void invoice can't be sent", f"{void.id}/send", due),
        ("a paid invoice can't be voided", f"{paid.id}/void", None),
        ("a void invoice can't be voided again", f"{void.id}/void", None),
        ("a draft can't be paid", f"{draft.id}/payments", {"amount_cents": 1}),
        ("a void invoice can't be paid", f"{void.id}/payments", {"amount_cents": 1}),
    ):
        yield Refusal(what, 409, "POST", f"/v1/invoices/{step}", tenant, body, type=wrong)
    # Of a paid invoice nothing is outstanding, either.
    yield Refusal(
        "a paid invoice can't be paid again", 409, "POST", f"/v1/invoices/{paid.id}/payments", tenant,
        {"amount_cents": 1}, type=wrong, or_type=f"{BILLING}overpayment",
    )  # fmt: skip
    yield Refusal(
        f"only {sent.total_cents} cents are outstanding", 409, "POST", f"/v1/invoices/{sent.id}/payments", tenant,
        {"amount_cents": sent.total_cents + 1}, type=f"{BILLING}overpayment",
    )  # fmt: skip
    taken = {"number": sent.number.lower(), "lines": invoices.lines(draw)}
    yield Refusal(
        f"the tenant has an invoice {sent.number}", 409, "POST", f"/v1/customers/{sent.customer_id}/invoices",
        tenant, taken, type=f"{BILLING}number-taken",
    )  # fmt: skip
    yield Refusal(
        "a customer with invoices can't be deleted", 409, "DELETE", f"/v1/customers/{sent.customer_id}", tenant,
        type=f"{BILLING}customer-has-invoices",
    )  # fmt: skip


def partly_paid(id: str, tenant: int, paid: Answer) -> Iterator[Refusal]:
    """What can't be done any more with an invoice of which `paid` has paid a part."""
    if paid.status == 201:  # that it is, says another check
        what = "an invoice that is paid in part can't be voided"
        yield Refusal(what, 409, "POST", f"/v1/invoices/{id}/void", tenant, type=f"{BILLING}wrong-status")


def malformed(people: Population, tenant: int, draw: random.Random) -> Iterator[Refusal]:
    """Bodies that are no JSON, on each path that wants one, and a tenant that is none.

    Nothing else is wrong with these requests, the invoice's status neither: which of two faults is told is free.
    """
    customer = people.free_customer(tenant, draw)
    draft, sent = (people.invoice(tenant, status, draw) for status in ("draft", "sent"))
    no_json = (
        b'{"name": "Ada",',
        b"name=Ada&email=ada@example.org",
        b"{'name': 'Ada'}",
        b'{"name": "Z\xf6e"}',
    )
    for body in no_json:
        yield Refusal("the body is no JSON", 400, "POST", "/v1/customers", tenant, body=body)
    for path in (
        f"/v1/customers/{customer}/invoices",
        f"/v1/invoices/{draft.id}/send",
        f"/v1/invoices/{sent.id}/payments",
    ):
        yield Refusal("the body is no JSON", 400, "POST", path, tenant, body=draw.choice(no_json[:3]))
    path = f"/v1/customers/{customer}"
    yield Refusal("the body is no JSON", 400, "PUT", path, tenant, body=no_json[0])
    yield Refusal("the body is no JSON", 400, "PATCH", path, tenant, body=no_json[0], headers=customers.PATCH)
    kind = f"{BILLING}invalid-tenant"
    for missing in (
        "/v1/customers",
        path,
        f"{path}/balance",
        f"{path}/invoices",
        f"/v1/invoices/{sent.id}",
        "/v1/invoices/overdue",
    ):
        yield Refusal("X-Tenant-ID is missing", 400, "GET", missing, None, type=kind)
    void = f"/v1/invoices/{draft.id}/void"
    yield Refusal("X-Tenant-ID is missing", 400, "POST", void, None, type=kind)
    headers = {"X-Tenant-ID": "not-an-id"}
    yield Refusal("X-Tenant-ID is no id", 400, "GET", "/v1/customers", None, headers=headers, type=kind)


def media_types(people: Population, tenant: int, draw: random.Random) -> Iterator[Refusal]:
    """Bodies of another kind than wanted (415), and callers who take no JSON (406), in every kind of request."""
    customer = people.free_customer(tenant, draw)
    draft, sent = (people.invoice(tenant, status, draw) for status in ("draft", "sent"))
    wanted: tuple[tuple[str, str, object], ...] = (
        ("POST", "/v1/customers", customers.new(draw)),
        ("PUT", f"/v1/customers/{customer}", customers.new(draw)),
        ("PATCH", f"/v1/customers/{customer}", {"name": "Ada"}),
        ("POST", f"/v1/customers/{customer}/invoices", {"lines": invoices.lines(draw)}),
        ("POST", f"/v1/invoices/{draft.id}/send", {"due_on": "2026-03-31"}),
        ("POST", f"/v1/invoices/{sent.id}/payments", {"amount_cents": 1}),
    )
    kinds = ("text/plain", "application/xml", "application/x-www-form-urlencoded")
    for method, path, body in wanted:
        kind = draw.choice(kinds)
        what = (
            f"{method} wants {'a merge patch' if method == 'PATCH' else 'JSON'}, and this says it is {kind}"
        )
        yield Refusal(what, 415, method, path, tenant, body, headers={"Content-Type": kind})
    for method, path, body in (
        *wanted,
        ("GET", "/v1/customers", None),
        ("GET", f"/v1/customers/{customer}", None),
        ("GET", f"/v1/invoices/{draft.id}", None),
        ("POST", f"/v1/invoices/{draft.id}/void", None),
    ):
        accept = draw.choice(
            ("text/html", "application/xml, text/*;q=0.5", "image/png", "application/json;q=0")
        )
        patch = customers.PATCH if method == "PATCH" else {}
        what = f"the caller takes {accept} and no JSON"
        yield Refusal(what, 406, method, path, tenant, body, headers={**patch, "Accept": accept})


def invalid(people: Population, tenant: int, draw: random.Random) -> Iterator[Refusal]:
    """One wrong value in a body and one in a query; where each fault is pointed at is another check's."""
    kind = f"{BILLING}invalid-request"
    body = {**customers.new(draw), "name": ""}
    yield Refusal("a name has at least one character", 422, "POST", "/v1/customers", tenant, body, type=kind)
    yield Refusal("limit is at most 100", 422, "GET", "/v1/customers?limit=101", tenant, type=kind)


def methods(people: Population, tenant: int) -> Iterator[Refusal]:
    yield Refusal("this path has other methods", 405, "DELETE", "/v1/customers", tenant)
    yield Refusal("this path has other methods", 405, "POST", "/v1/invoices/overdue", tenant)


def expect_refused(http: Api, refusals: Iterator[Refusal]) -> None:
    for refusal in refusals:
        refusal.expect(http)


def expect_untouched(before: object, after: object, what: str) -> None:
    """A refused request must have done nothing."""
    expect(
        before == after,
        expected=f"What was refused has changed nothing: {what} is as it was.",
        got=f"{before} became {after}",
        because="A caller that is told no may try again, mended; then it would happen twice.",
    )
