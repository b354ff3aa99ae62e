"""Requests that come twice: with an Idempotency-Key they are done once, whenever, wherever and however they repeat."""

import random

from graders.check import check, expect
from graders.lesson_02 import customers, invoices
from graders.lesson_02.population import Population
from graders.lesson_02.retries import (
    BECAUSE,
    Creation,
    creations,
    expect_reuse_refused,
    expect_same,
    new_key,
)
from graders.lesson_02.twins import expect_once
from graders.probes.api import Api
from graders.probes.postgres import Postgres
from graders.probes.service import Service
from graders.probes.transcript import Transcript


@check("retry-answered-again")
def test_retry(http: Api, postgres: Postgres, people: Population, rng: random.Random) -> None:
    """A creation that is repeated with its Idempotency-Key creates nothing more and gets the first answer."""
    tenant = people.tenant(rng)
    for creation in creations(people, tenant, rng):
        there = creation.count(postgres)
        key = new_key(rng)
        first = creation.ask(http, key).expect(201, because="This request is in order.")
        creation.change(http, first)
        for _ in range(2):
            expect_same(first, creation.ask(http, key))
        made = creation.count(postgres) - there
        expect(
            made == 1,
            expected="One row, however often it is asked for.",
            got=f"{made} rows",
            because=BECAUSE,
            did=first.did,
        )
        creation.ask(http, new_key(rng)).expect(201, because="Another key is another request.")
        made = creation.count(postgres) - there
        expect(
            made == 2,
            expected="With another key, the same body is another request, and creates.",
            got=f"{made} rows after one request with each of two keys",
            because="Two equal payments on one day are two payments.",
            did=first.did,
        )


@check("key-not-reused")
def test_reuse(http: Api, postgres: Postgres, people: Population, rng: random.Random) -> None:
    """One key is one request: with another body it is refused; a request that was refused leaves its key free."""
    tenant = people.tenant(rng)
    for creation in creations(people, tenant, rng):
        expect_reuse_refused(http, postgres, creation, new_key(rng))
    _expect_tenants_apart(http, people, tenant, rng)
    _expect_free_after_refusal(http, people, tenant, rng)


@check("keys-shared", needs=["retry-answered-again"])
def test_processes(
    http: Api, service: Service, steps: Transcript, people: Population, rng: random.Random
) -> None:
    """Whichever web process is asked, it knows the keys that another one was given."""
    second = Api(service.web("billing", 2), steps, shows_head=True)
    tenant = people.tenant(rng)
    for creation in creations(people, tenant, rng):
        key = new_key(rng)
        first = creation.ask(http, key).expect(201, because="This request is in order.")
        expect_same(first, creation.ask(second, key), "asked of another web process on the same database")


@check("twins-create-once", needs=["retry-answered-again"])
def test_twins(
    service: Service, postgres: Postgres, people: Population, steps: Transcript, rng: random.Random
) -> None:
    """Two requests with one key that arrive at the same time create once, and both get that answer."""
    tenant = people.tenant(rng)
    for creation in creations(people, tenant, rng):
        expect_once(service, postgres, steps, creation, new_key(rng))


def _expect_tenants_apart(http: Api, people: Population, tenant: int, draw: random.Random) -> None:
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


def _expect_free_after_refusal(http: Api, people: Population, tenant: int, draw: random.Random) -> None:
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
