"""How the service says no: in one shape, with the right status, to the point, and without telling of its inside."""

import random

from graders.check import check, expect
from graders.lesson_02 import invoices, refusals
from graders.lesson_02.allowed import expect_allow, wrong_methods
from graders.lesson_02.body_size import expect_bounded, expect_largest_taken
from graders.lesson_02.inside import expect_no_leak
from graders.lesson_02.kinds import expect_accept_patch, expect_parameters_free
from graders.lesson_02.pointers import expect_pointed, faulty, unknown
from graders.lesson_02.population import Population
from graders.lesson_02.problems import expect_one_shape
from graders.probes.api import Api
from graders.probes.postgres import Postgres

ROWS = """
    SELECT (SELECT count(*) FROM public.customers WHERE tenant_id = %(tenant)s),
           (SELECT md5(string_agg(id || name || email, ',' ORDER BY id)) FROM public.customers WHERE tenant_id = %(tenant)s),
           (SELECT count(*) FROM public.invoices WHERE tenant_id = %(tenant)s),
           (SELECT md5(string_agg(id || status || paid_cents, ',' ORDER BY id)) FROM public.invoices
            WHERE tenant_id = %(tenant)s)
"""


def rows(postgres: Postgres, tenant: int) -> object:
    """A summary of the tenant's customers and invoices that changes with each of them."""
    return postgres.rows(ROWS, {"tenant": tenant})  # type: ignore[arg-type]


@check("one-problem-shape")
def test_problems(http: Api, people: Population, rng: random.Random) -> None:
    """Every refusal, wherever it arises, is application/problem+json with the same members and a stable type."""
    tenant = people.tenant(rng)
    expect_one_shape(
        http,
        [
            *refusals.not_found(people, tenant, rng),
            *refusals.methods(people, tenant),
            *refusals.malformed(people, tenant, rng),
            *refusals.media_types(people, tenant, rng),
            *refusals.invalid(people, tenant, rng),
            *refusals.conflicts(people, tenant, rng),
        ],
    )


@check("absence-is-404")
def test_not_found(http: Api, postgres: Postgres, people: Population, rng: random.Random) -> None:
    """What is not there, or is another tenant's, is 404: paths, ids that can't exist, deleted things."""
    tenant = people.tenant(rng)
    there = people.invoice(tenant, "sent", rng)
    http.get(f"/v1/invoices/{there.id}", tenant=tenant).expect(
        200, because="It is there, and the tenant's own."
    )
    other = people.other(tenant)
    before = rows(postgres, other)
    refusals.expect_refused(http, refusals.not_found(people, tenant, rng))
    refusals.expect_untouched(before, rows(postgres, other), f"tenant {other}, which did not ask,")


@check("methods-named")
def test_methods(http: Api, people: Population, rng: random.Random) -> None:
    """Another method than the path has is 405, and Allow names the methods that there are."""
    tenant = people.tenant(rng)
    for method, path, allowed in wrong_methods(people, tenant, rng):
        expect_allow(http, method, path, allowed, tenant)


@check("malformed-is-400")
def test_malformed(http: Api, postgres: Postgres, people: Population, rng: random.Random) -> None:
    """A body that is no JSON is 400 on every path that wants one, so is a missing tenant; a body too large is 413."""
    tenant = people.tenant(rng)
    expect_largest_taken(http, tenant, rng)
    before = rows(postgres, tenant)
    refusals.expect_refused(http, refusals.malformed(people, tenant, rng))
    expect_bounded(http, tenant, rng)
    refusals.expect_untouched(before, rows(postgres, tenant), f"tenant {tenant}")


@check("media-types-negotiated")
def test_media_types(http: Api, postgres: Postgres, people: Population, rng: random.Random) -> None:
    """A body of another kind is 415, an Accept without JSON is 406, and nothing is done for either."""
    tenant = people.tenant(rng)
    for accept in ("application/json", "text/html, application/*;q=0.3", "*/*;q=0.1"):
        asked = http.send("GET", "/v1/customers", tenant=tenant, headers={"Accept": accept})
        asked.expect(200, because="This caller takes JSON.")
    expect_parameters_free(http, people, tenant, rng)
    before = rows(postgres, tenant)
    refusals.expect_refused(http, refusals.media_types(people, tenant, rng))
    expect_accept_patch(http, people, tenant, rng)
    refusals.expect_untouched(before, rows(postgres, tenant), f"tenant {tenant}")


@check("faults-pointed-at")
def test_pointers(http: Api, postgres: Postgres, people: Population, rng: random.Random) -> None:
    """Wrong values are 422, with a pointer to each of them, in bodies and in queries."""
    tenant = people.tenant(rng)
    before = rows(postgres, tenant)
    for request in faulty(people, tenant, rng):
        expect_pointed(http, tenant, request)
    refusals.expect_untouched(before, rows(postgres, tenant), f"tenant {tenant}")


@check("unknown-refused", needs=["faults-pointed-at"])
def test_unknown(http: Api, postgres: Postgres, people: Population, rng: random.Random) -> None:
    """Fields and query parameters that do not exist are faults, wherever they stand, and nothing is done."""
    tenant = people.tenant(rng)
    before = rows(postgres, tenant)
    for request in unknown(people, tenant, rng):
        expect_pointed(http, tenant, request)
    refusals.expect_untouched(before, rows(postgres, tenant), f"tenant {tenant}")


@check("conflicts-are-409")
def test_conflicts(http: Api, postgres: Postgres, people: Population, rng: random.Random) -> None:
    """What the state of things is against is 409, and changes nothing."""
    tenant = people.tenant(rng)
    partly = people.invoice(tenant, "sent", rng)
    paid = invoices.ask_pay(http, tenant, partly.id, 1)
    before = rows(postgres, tenant)
    refusals.expect_refused(http, refusals.conflicts(people, tenant, rng))
    refusals.expect_refused(http, refusals.partly_paid(partly.id, tenant, paid))
    refusals.expect_untouched(before, rows(postgres, tenant), f"tenant {tenant}")


@check("nothing-leaks")
def test_leaks(http: Api, people: Population, rng: random.Random) -> None:
    """A failure that nobody foresaw is a 500 that says so, and tells nothing of what is inside."""
    expect_no_leak(http, people.tenant(rng), rng)
    answer = http.get("/v1/customers", tenant=people.tenant(rng))
    expect(
        answer.status == 200,
        expected="After the failure the service goes on as before.",
        got=answer.summary(),
        because="One bad row must not take the service from everybody else.",
        did=answer.did,
    )
