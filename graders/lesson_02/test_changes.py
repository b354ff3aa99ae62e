"""Changing and deleting: PUT replaces, PATCH merges, DELETE deletes, and repeating them changes nothing more."""

import random
from dataclasses import replace

from graders.check import check, expect
from graders.lesson_02 import customers
from graders.lesson_02.patches import expect_patched, expect_refused_patch, patches, refused_patches
from graders.lesson_02.population import Population
from graders.lesson_02.shapes import CUSTOMER, read
from graders.probes.api import Api
from graders.probes.postgres import Postgres

BECAUSE_PUT = (
    "Who repeats a PUT after a lost answer must end where one PUT would have ended, with nothing left over."
)
BECAUSE_DELETE = (
    "Who repeats a DELETE after a lost answer must not delete anything else, nor be told of a failure inside."
)


@check("put-replaces")
def test_put(http: Api, postgres: Postgres, people: Population, rng: random.Random) -> None:
    """PUT replaces all that callers may choose, the same each time it is repeated, and makes no new customer."""
    tenant = people.tenant(rng)
    before = customers.fetched(http, tenant, people.free_customer(tenant, rng))
    counted = "SELECT count(*) FROM public.customers WHERE tenant_id = %s"
    there = postgres.value(counted, [tenant])
    whole = customers.new(rng)
    steps: list[str] = []
    for body in (whole, whole, customers.new(rng, address=False)):
        answer = customers.put(http, tenant, before["id"], body)
        steps = [*steps[-1:], answer.did]
        replaced = read(answer, 200, CUSTOMER)
        answer = replace(answer, did="\n".join(steps))
        customers.expect_chosen(answer, replaced, body, BECAUSE_PUT)
        kept = {"id": before["id"], "created_at": before["created_at"]}
        expect(
            kept.items() <= replaced.items(),
            expected=f"id and created_at stay: {before['id']}, {before['created_at']}.",
            got=answer.summary(),
            because=BECAUSE_PUT,
            did=answer.did,
        )
        customers.expect_chosen(answer, customers.fetched(http, tenant, before["id"]), body, BECAUSE_PUT)
    nobody = customers.put(http, tenant, 999_999_999, whole)
    now = postgres.value(counted, [tenant])
    expect(
        nobody.status == 404 and now == there,
        expected="Status 404 for a customer that does not exist: the service chooses the ids, PUT makes none.",
        got=f"{nobody.summary()}\n{now - there} customers more than before",
        because="A PUT that creates takes ids that the service may give to somebody else.",
        did=nobody.did,
    )


@check("delete-repeats")
def test_delete(http: Api, postgres: Postgres, people: Population, rng: random.Random) -> None:
    """DELETE answers 204 without a body, the customer is gone, and a second DELETE changes nothing."""
    tenant = people.tenant(rng)
    id = people.free_customer(tenant, rng)
    counted = "SELECT count(*) FROM public.customers"
    there = postgres.value(counted)
    answer = http.send("DELETE", f"/v1/customers/{id}", tenant=tenant)
    expect(
        answer.status == 204 and not answer.body,
        expected="Status 204, without a body.",
        got=answer.summary(),
        because=BECAUSE_DELETE,
        did=answer.did,
    )
    again = http.send("DELETE", f"/v1/customers/{id}", tenant=tenant)
    expect(
        again.status == 404,
        expected="Status 404 for the second DELETE: there is no such customer any more.",
        got=again.summary(),
        because=BECAUSE_DELETE,
        did=again.did,
    )
    gone = http.get(f"/v1/customers/{id}", tenant=tenant)
    listed = postgres.rows("SELECT FROM public.customers WHERE id = %s", [int(id)])
    expect(
        gone.status == 404 and not listed,
        expected="The customer is gone: GET answers 404, and the row is not there.",
        got=f"GET: {gone.summary()}; rows in customers: {len(listed)}",
        because="Others read the table: who was deleted gets mail from them if the row stays.",
        did=gone.did,
    )
    now = postgres.value(counted)
    expect(
        now == there - 1,
        expected="One customer fewer than before.",
        got=f"{there - now} fewer",
        because=BECAUSE_DELETE,
        did=answer.did,
    )


@check("patch-merges", needs=["put-replaces"])
def test_patch(http: Api, people: Population, rng: random.Random) -> None:
    """PATCH is a merge patch (RFC 7396): what is named changes, deep inside too, null removes, the rest stays."""
    tenant = people.tenant(rng)
    for change in patches(rng):
        expect_patched(http, tenant, people.free_customer(tenant, rng), customers.new(rng), change)
    whole = {"address": customers.new(rng)["address"]}
    expect_patched(http, tenant, people.free_customer(tenant, rng), customers.new(rng, address=False), whole)
    for change, pointers in refused_patches(rng):
        expect_refused_patch(http, tenant, people.free_customer(tenant, rng), change, pointers)
