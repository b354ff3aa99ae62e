"""405 and its Allow: for each kind of path, a method that it has not, and those that it has."""

import random
from collections.abc import Iterator

from graders.check import expect
from graders.lesson_02.population import Population
from graders.probes.api import Api

BECAUSE = (
    "A 404 says that the address is wrong, a 405 that the verb is: clients and gateways read Allow to tell."
)
# Whether these are named is free; HEAD goes with GET.
FREE = {"HEAD", "OPTIONS"}


def wrong_methods(
    people: Population, tenant: int, draw: random.Random
) -> Iterator[tuple[str, str, set[str]]]:
    """(method, path, the methods that the path has)."""
    paid = people.invoice(tenant, "paid", draw)
    customer, invoice = f"/v1/customers/{paid.customer_id}", f"/v1/invoices/{paid.id}"
    for path, allowed in (
        ("/livez", {"GET"}),
        ("/v1/customers", {"GET", "POST"}),
        (customer, {"GET", "PUT", "PATCH", "DELETE"}),
        (f"{customer}/balance", {"GET"}),
        (f"{customer}/invoices", {"GET", "POST"}),
        ("/v1/invoices/overdue", {"GET"}),
        (invoice, {"GET"}),
        (f"{invoice}/send", {"POST"}),
        (f"{invoice}/void", {"POST"}),
        (f"{invoice}/payments", {"POST"}),
    ):
        others = sorted({"GET", "POST", "PUT", "PATCH", "DELETE"} - allowed)
        yield draw.choice(others), path, allowed


def expect_allow(http: Api, method: str, path: str, allowed: set[str], tenant: int) -> None:
    """405, and exactly these methods in Allow."""
    answer = http.send(method, path, tenant=tenant)
    wanted = ", ".join(sorted(allowed))
    expect(
        answer.status == 405,
        expected=f"Status 405: this path has {wanted}.",
        got=answer.summary(),
        because=BECAUSE,
        did=answer.did,
    )
    said = answer.headers.get("Allow", "")
    named = {name.strip().upper() for name in said.split(",")} - FREE - {""}
    expect(
        named == allowed,
        expected=f"Allow: {wanted} (HEAD and OPTIONS may be named, too).",
        got=f"Allow: {said or 'none'}",
        because=BECAUSE,
        did=answer.did,
    )
