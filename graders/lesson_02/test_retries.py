"""Requests that come twice: with an Idempotency-Key they are done once, whenever, wherever and however they repeat."""

import random
from dataclasses import replace

from graders.check import check, expect
from graders.lesson_02 import customers, keys
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
    _expect_kept_when_gone(http, postgres, tenant, rng)


def _expect_kept_when_gone(http: Api, postgres: Postgres, tenant: int, draw: random.Random) -> None:
    """What was created is deleted; a late repetition gets the answer of then, and brings it not back."""
    creation, key = Creation.of_customer(tenant, customers.new(draw)), new_key(draw)
    first = creation.ask(http, key).expect(201, because="This request is in order.")
    deleted = http.send("DELETE", f"/v1/customers/{first.json()['id']}", tenant=tenant)
    there = creation.count(postgres)
    again = creation.ask(http, key)
    again = replace(again, did=f"{deleted.did}\n{again.did}")
    expect_same(first, again, "though the customer is deleted by now")
    made = creation.count(postgres) - there
    expect(
        made == 0,
        expected="Nothing is created: the request was done, whatever has happened since.",
        got=f"{made} rows more",
        because="A retry that was held up somewhere must not bring back what somebody has deleted.",
        did=again.did,
    )


@check("key-not-reused")
def test_reuse(http: Api, postgres: Postgres, people: Population, rng: random.Random) -> None:
    """One key is one request: with another body or path it is refused; a request that was not done leaves its key free."""
    tenant = people.tenant(rng)
    for creation in creations(people, tenant, rng):
        expect_reuse_refused(http, postgres, creation, new_key(rng))
    keys.expect_tenants_apart(http, people, tenant, rng)
    keys.expect_compared_exactly(http, tenant, rng)
    keys.expect_bounded(http, tenant, rng)
    keys.expect_ignored_elsewhere(http, tenant, people, rng)
    keys.expect_free_after_refusal(http, people, tenant, rng)
    keys.expect_free_after_failure(http, tenant, rng)


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


@check("twins-create-once", needs=["retry-answered-again", "keys-shared"])
def test_twins(
    service: Service, postgres: Postgres, people: Population, steps: Transcript, rng: random.Random
) -> None:
    """Requests with one key that arrive at the same time, at several web processes, create once and get one answer."""
    tenant = people.tenant(rng)
    for creation in creations(people, tenant, rng):
        expect_once(service, postgres, steps, creation, new_key(rng))
