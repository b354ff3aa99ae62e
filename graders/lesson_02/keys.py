"""What an Idempotency-Key is and where it counts: compared exactly, bounded, free after a failure, ignored elsewhere."""

import random

from graders.check import expect
from graders.lesson_02 import customers, invoices
from graders.lesson_02.population import Population
from graders.lesson_02.retries import Creation, expect_key_refused, new_key
from graders.probes.api import Api

LONGEST = 128


def expect_tenants_apart(http: Api, people: Population, tenant: int, draw: random.Random) -> None:
    key, body = new_key(draw), customers.new(draw)
    mine = Creation.of_customer(tenant, body).ask(http, key)
    theirs = Creation.of_customer(people.other(tenant), customers.new(draw)).ask(http, key)
    expect(
        (mine.status, theirs.status) == (201, 201),
        expected="Two tenants may use the same key: each has keys of its own.",
        got=f"the first tenant: status {mine.status}; the second: {theirs.summary()}",
        because="Otherwise one tenant's requests fail, or show, for what another one has done.",
        did=theirs.did,
    )


def expect_compared_exactly(http: Api, tenant: int, draw: random.Random) -> None:
    """Keys that differ in their case only, or in the last character of the longest, are two keys."""
    long = "".join(draw.choice("0123456789abcdef") for _ in range(LONGEST - 1))
    tag = new_key(draw)
    for one, other in ((f"{tag} a", f"{tag} A"), (f"{long}x", f"{long}y")):
        first = Creation.of_customer(tenant, customers.new(draw)).ask(http, one)
        first.expect(201, because=f"A key has up to {LONGEST} printable ASCII characters: this is one.")
        second = Creation.of_customer(tenant, customers.new(draw)).ask(http, other)
        expect(
            second.status == 201 and second.json() != first.json(),
            expected="Status 201 and another customer: this is another key, since keys are compared exactly.",
            got=second.summary(),
            because="Clients put ids of their own into keys, often long ones; two that fall together lose a request.",
            did=f"{first.did}\n{second.did}",
        )


def expect_bounded(http: Api, tenant: int, draw: random.Random) -> None:
    """A key that is none is refused."""
    for key, what in (
        ("", "an empty key is none"),
        ("k" * (LONGEST + 1), f"a key has at most {LONGEST} characters"),
    ):
        answer = Creation.of_customer(tenant, customers.new(draw)).ask(http, key)
        expect_key_refused(
            answer,
            "invalid-request",
            what,
            because="A caller whose key is ignored, or cut down, believes that it may repeat the request.",
            did=answer.did,
        )


def expect_ignored_elsewhere(http: Api, tenant: int, people: Population, draw: random.Random) -> None:
    """Requests that create nothing: the header is not theirs, so it changes nothing."""
    key = {"Idempotency-Key": new_key(draw)}
    Creation.of_customer(tenant, customers.new(draw)).ask(http, key["Idempotency-Key"]).expect(
        201, because="This request is in order."
    )
    path = f"/v1/customers/{people.free_customer(tenant, draw)}"
    draft = people.invoice(tenant, "draft", draw)
    for method, target, body in (
        ("GET", path, None),
        ("PUT", path, customers.new(draw)),
        ("POST", f"/v1/invoices/{draft.id}/send", {"due_on": "2026-03-31"}),
    ):
        answer = http.send(method, target, tenant=tenant, json=body, headers=key)
        expect(
            answer.status == 200,
            expected=f"Status 200: Idempotency-Key is for what creates; {method} {target} ignores it.",
            got=answer.summary(),
            because="Many clients send the header with every request: it must not change what does not create.",
            did=answer.did,
        )


def expect_free_after_refusal(http: Api, people: Population, tenant: int, draw: random.Random) -> None:
    """The same request is refused while the invoice is a draft, and done with the same key once it is sent."""
    drafted = people.invoice(tenant, "draft", draw)
    payment = Creation.of_payment(tenant, drafted.id, 1)
    key = new_key(draw)
    payment.ask(http, key).expect(409, because="A draft can't be paid.")
    invoices.ask_send(http, tenant, drafted.id).expect(200, because="A draft can be sent.")
    answer = payment.ask(http, key)
    expect(
        answer.status == 201,
        expected="Status 201: the first try was refused, so its key stands for nothing yet.",
        got=answer.summary(),
        because="A client that mends what was refused tries again with the key that it has for this payment.",
        did=answer.did,
    )


def expect_free_after_failure(http: Api, tenant: int, draw: random.Random) -> None:
    """A name that the database refuses fails inside; the same key then creates."""
    body = customers.new(draw)
    key = new_key(draw)
    failed = Creation.of_customer(tenant, {**body, "name": f"Embargo {draw.randrange(10**9)}"}).ask(http, key)
    expect(
        failed.status >= 400,
        expected="Status 500: the database refuses this name.",
        got=failed.summary(),
        because="A failure that looks like success is worse than the failure: nobody hears of it.",
        did=failed.did,
    )
    answer = Creation.of_customer(tenant, body).ask(http, key)
    expect(
        answer.status == 201 and answer.json().get("name") == body["name"],
        expected="Status 201: the first try failed inside and created nothing, so its key stands for nothing.",
        got=answer.summary(),
        because="Failures are what keys are for: who got a 500 tries again, and must get it done then.",
        did=f"{failed.did}\n{answer.did}",
    )
