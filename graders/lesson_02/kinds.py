"""Content-Type beyond its name: parameters change nothing, and a refused PATCH says which kind would do."""

import random

from graders.check import expect
from graders.lesson_02 import customers
from graders.lesson_02.population import Population
from graders.probes.api import Api

MERGE_PATCH = "application/merge-patch+json"


def expect_parameters_free(http: Api, people: Population, tenant: int, draw: random.Random) -> None:
    """What many clients send by default: the kind with a charset."""
    path = f"/v1/customers/{people.free_customer(tenant, draw)}"
    for method, target, kind, body, status in (
        ("POST", "/v1/customers", "application/json; charset=utf-8", customers.new(draw), 201),
        ("PUT", path, "application/json;charset=UTF-8", customers.new(draw), 200),
        ("PATCH", path, f"{MERGE_PATCH}; charset=utf-8", {"name": "Ada"}, 200),
    ):
        answer = http.send(method, target, tenant=tenant, json=body, headers={"Content-Type": kind})
        expect(
            answer.status == status,
            expected=f"Status {status}: parameters such as charset=utf-8 change nothing.",
            got=answer.summary(),
            because="Many clients add a charset by default, and their users can't turn it off.",
            did=answer.did,
        )
    gone = http.send("DELETE", path, tenant=tenant, headers={"Accept": "text/html"})
    expect(
        gone.status == 204,
        expected="Status 204: DELETE answers without a body, so Accept is no matter.",
        got=gone.summary(),
        because="Nothing comes that the caller could fail to read.",
        did=gone.did,
    )


def expect_accept_patch(http: Api, people: Population, tenant: int, draw: random.Random) -> None:
    """The 415 of a PATCH has Accept-Patch (RFC 5789, 2.2)."""
    path = f"/v1/customers/{people.free_customer(tenant, draw)}"
    kind = {"Content-Type": "text/plain"}
    answer = http.send("PATCH", path, tenant=tenant, json={"name": "Ada"}, headers=kind)
    said = answer.headers.get("Accept-Patch", "")
    named = {one.partition(";")[0].strip().lower() for one in said.split(",")}
    expect(
        answer.status == 415 and MERGE_PATCH in named,
        expected=f"Status 415, with Accept-Patch: {MERGE_PATCH}",
        got=f"{answer.summary()}\nAccept-Patch: {said or 'none'}",
        because="There are several kinds of patches: who sent the wrong one is told which one is right.",
        did=answer.did,
    )
