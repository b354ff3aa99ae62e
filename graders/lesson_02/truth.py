"""Whether the document is true: requests made from it get the answers that it has for them."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from graders.check import expect, fail
from graders.lesson_02 import customers
from graders.lesson_02.pointers import pointers
from graders.lesson_02.population import Population
from graders.lesson_02.promised import PROMISED, PROMISES, plain
from graders.probes.api import Answer, Api
from graders.probes.openapi_bench import Bench, Case, Exchange
from graders.probes.openapi_document import Document, Operation

EXAMPLES = 8
BECAUSE = "Generated clients believe the document. Where it lies, they break in production, and nobody looks there first."


@dataclass(frozen=True)
class Sent:
    """A case and what came of it."""

    case: Case
    exchange: Exchange


def send_all(
    http: Api, document: Document, cases: Sequence[Case], people: Population, draw: random.Random
) -> Iterator[Sent]:
    """Every case, small ones first: the first that fails is then easy to read."""
    operations = {(one.method, one.path): one for one in document.operations()}
    tenant = people.tenant(draw)
    targets = Targets(http, people, tenant, draw)
    for case in sorted(cases, key=lambda one: len(repr((one.query, one.body)))):
        operation = operations[case.method.lower(), case.path]
        target = targets.of(operation) + _query(case)
        yield Sent(case, Exchange(operation, target, _send(http, tenant, case, target)))


def _send(http: Api, tenant: int, case: Case, target: str) -> Answer:
    if case.media_type is None:
        return http.send(case.method, target, tenant=tenant)
    headers = {"Content-Type": case.media_type}
    if case.body is None:
        return http.send(case.method, target, tenant=tenant, body=b"null", headers=headers)
    return http.send(case.method, target, tenant=tenant, json=case.body, headers=headers)


def _query(case: Case) -> str:
    scalars = {name: value for name, value in case.query.items() if isinstance(value, str | int | float)}
    return "?" + urlencode(scalars) if scalars else ""


class Targets:
    """Paths with something behind them: of each kind one of the dataset that the operation can work on."""

    def __init__(self, http: Api, people: Population, tenant: int, draw: random.Random) -> None:
        self._http, self._people, self._tenant, self._draw = http, people, tenant, draw
        self._customer = people.free_customer(tenant, draw)
        whole = customers.new(draw)
        customers.put(
            http, tenant, self._customer, whole
        )  # with an address, so that it can be patched in part

    def of(self, operation: Operation) -> str:
        path = plain(operation.full_path)
        if operation.method == "delete":
            return path.replace("{}", self._other_customer(), 1)
        if "/by-number/" in path:
            number = self._people.invoice(self._tenant, "paid", self._draw).number
            return path.replace("{}", quote(number, safe=""), 1)
        if path.startswith("/v1/customers/{}"):
            return path.replace("{}", self._customer, 1)
        if path.endswith("/payments/{}"):
            paid = self._people.invoice(self._tenant, "paid", self._draw)
            return path.replace("{}", paid.id, 1).replace("{}", self._people.payment(paid), 1)
        status = {"send": "draft", "void": "draft", "payments": "sent"}.get(path.rpartition("/")[2], "paid")
        return path.replace("{}", self._people.invoice(self._tenant, status, self._draw).id, 1)

    def _other_customer(self) -> str:
        while (other := self._people.free_customer(self._tenant, self._draw)) == self._customer:
            pass
        return other


def expect_true(bench: Bench, sent: Sequence[Sent]) -> None:
    """No failure inside, nothing accepted that does not fit, nothing refused that fits, and answers as documented."""
    for one in sent:
        _expect_decided(one)
    for one, fault in zip(sent, bench.judged([one.exchange for one in sent]), strict=True):
        if fault:
            fail(
                expected=f"An answer as the document has it for {one.exchange.operation.name}.",
                got=f"{fault}\n{one.exchange.answer.summary()}",
                because=BECAUSE,
                did=one.exchange.answer.did,
            )


def refused_exchanges(
    http: Api, document: Document, people: Population, draw: random.Random
) -> list[Exchange]:
    """One refusal of each promised operation that has JSON to answer: of a caller who takes none."""
    tenant = people.tenant(draw)
    targets = Targets(http, people, tenant, draw)
    found = []
    for operation in document.operations():
        promise = PROMISED.get((operation.method, plain(operation.full_path)))
        if promise is None or not promise.shape:
            continue
        target = targets.of(operation) + "?unknown=1"
        answer = http.send(operation.method.upper(), target, tenant=tenant, headers={"Accept": "text/html"})
        if answer.status >= 400 and isinstance(answer.json(), dict):
            found.append(Exchange(operation, target, answer))
    return found


def expect_routed(http: Api, document: Document, people: Population, draw: random.Random) -> None:
    """Each documented path is one: a method that it has not is answered as such (405), and not as an absence."""
    tenant = people.tenant(draw)
    targets = Targets(http, people, tenant, draw)
    methods: dict[str, set[str]] = {}
    operations = document.operations()
    for operation in operations:
        methods.setdefault(operation.full_path, set()).add(operation.method.upper())
    for operation in operations:
        path = plain(operation.full_path)
        others = [
            one for one in ("PUT", "PATCH", "DELETE", "POST") if one not in methods[operation.full_path]
        ]
        if path in {one.path for one in PROMISES} or not others or not _is_fillable(path):
            continue
        target = targets.of(operation)
        asked = http.send(operation.method.upper(), target, tenant=tenant)
        answer = http.send(others[0], target, tenant=tenant)
        expect(
            not asked.status == answer.status == 404,
            expected=f"{operation.name} is there, as the document says: it answers, and another method is 405.",
            got=f"{operation.method.upper()}: {asked.summary()}\n{others[0]}: {answer.summary()}",
            because=BECAUSE,
            did=f"{asked.did}\n{answer.did}",
        )


def _is_fillable(path: str) -> bool:
    """Whether it is known what stands in the braces: an id of a customer or of an invoice, or nothing."""
    start, _, rest = path.partition("{}")
    return "{}" not in path or (start in ("/v1/customers/", "/v1/invoices/") and "{}" not in rest)


def _expect_decided(one: Sent) -> None:
    answer, name = one.exchange.answer, one.exchange.operation.name
    if answer.status >= 500:
        fail(
            expected="An answer below 500: no request that can be made from the document fails inside.",
            got=answer.summary(),
            because="Whoever finds such a request can take the service down with it.",
            did=answer.did,
        )
    if not one.case.fits:
        expect(
            answer.status == 422 or (answer.status == 400 and one.case.body is None),
            expected=f"Status 422: this body does not fit the schema that the document has for {name}.",
            got=answer.summary(),
            because=BECAUSE,
            did=answer.did,
        )
        return
    expect(
        answer.status < 400 or _is_excused(one),
        expected=f"This request is accepted: it is as the document has it for {name}.",
        got=answer.summary(),
        because=BECAUSE,
        did=answer.did,
    )


def _is_excused(one: Sent) -> bool:
    """What no schema can say: a sum, a cursor, half an address, what the state is against."""
    answer, path = one.exchange.answer, plain(one.exchange.operation.full_path)
    if answer.status == 409:
        return path.endswith("/payments") or _has_number(one.case.body)
    if answer.status == 404:
        return "{}" in path and (one.exchange.operation.method, path) not in PROMISED
    if answer.status != 422:
        return False
    excused: list[str] = []
    if path == "/v1/customers/{}/invoices" and one.case.method == "POST":
        excused = ["/body/lines"]
    elif one.case.method == "PATCH":
        excused = [f"/body/address/{name}" for name in ("street", "city", "country")]
    elif "cursor" in one.case.query:
        excused = ["/query/cursor"]
    found = pointers(answer)
    return bool(found) and set(found) <= set(excused)


def _has_number(body: Any) -> bool:
    """Whether the caller chose the number, which may be taken by now."""
    return isinstance(body, dict) and body.get("number") is not None
