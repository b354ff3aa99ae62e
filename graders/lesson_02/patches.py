"""Merge patches, and what must come of them (RFC 7396)."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from graders.check import expect
from graders.lesson_02 import customers
from graders.lesson_02.pointers import Faulty, expect_pointed
from graders.lesson_02.shapes import CUSTOMER, read
from graders.probes.api import Api

BECAUSE = "Who changes one field has seen only that one: what PATCH loses beside it, nobody meant to lose."


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def patches(draw: random.Random) -> Iterator[dict[str, Any]]:
    """Changes, of a customer with a whole address and of one without."""
    new = customers.new(draw)
    yield {"name": new["name"]}
    yield {"address": {"city": new["address"]["city"]}}
    yield {"address": {"postcode": None}}
    yield {"email": new["email"], "address": {"street": new["address"]["street"], "postcode": None}}
    yield {"address": new["address"]}
    yield {"address": None}
    yield {}


def refused_patches(draw: random.Random) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
    """Changes of a customer without an address that would leave no whole customer, and where the fault is."""
    yield {"name": None}, ("/body/name",)
    half = {"address": {"street": "Am Hof 1", "city": "Bonn"}, "name": customers.new(draw)["name"]}
    yield half, ("/body/address/country",)


def expect_patched(http: Api, tenant: int, id: str, body: dict[str, Any], change: dict[str, Any]) -> None:
    """Of a customer that is `body`, the answer and what is found afterwards are the merged one; repeated, it stays so."""
    put = customers.put(http, tenant, id, body)
    before = read(put, 200, CUSTOMER)
    right = merged(body, change)
    if right.get("address"):
        right["address"] = {"postcode": None, **right["address"]}
    for _ in range(2):
        answer = customers.patch(http, tenant, before["id"], change)
        answer = replace(answer, did=f"{put.did}\n{answer.did}")
        patched = read(answer, 200, CUSTOMER)
        customers.expect_chosen(answer, patched, right, BECAUSE)
        found = customers.fetched(http, tenant, before["id"])
        customers.expect_chosen(answer, found, right, BECAUSE)
        expect(
            (found["id"], found["created_at"]) == (before["id"], before["created_at"]),
            expected="id and created_at stay.",
            got=answer.summary(),
            because=BECAUSE,
            did=answer.did,
        )


def expect_refused_patch(
    http: Api, tenant: int, id: str, change: dict[str, Any], pointers: tuple[str, ...]
) -> None:
    """422 with these pointers for a customer without an address, which is as before."""
    put = customers.put(http, tenant, id, {"name": "Ada Lovelace", "email": "ada@customer.example"})
    before = read(put, 200, CUSTOMER)
    expect_pointed(http, tenant, Faulty("PATCH", f"/v1/customers/{before['id']}", change, pointers))
    after = customers.fetched(http, tenant, before["id"])
    expect(
        after == before,
        expected=f"A patch that is refused changes nothing: {customers.chosen(before)}",
        got=f"{customers.chosen(after)}",
        because=BECAUSE,
    )
