"""Whether the document is exact: spoilt answers fit their schemas no more, and parameters may be what is promised."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graders.check import expect
from graders.lesson_02.keys import LONGEST
from graders.lesson_02.promised import PROMISED, PROMISES, Promise, find, plain
from graders.lesson_02.shapes import ADDRESS, CUSTOMER, INVOICE, LINE, Field, Shape, text, whole
from graders.probes.openapi_bench import Bench, Exchange

BECAUSE = (
    "A schema that lets everything through tells nobody what comes: clients generated from it have no types."
)
# One value of each type of JSON; what a promised field's own reader refuses, its schema must refuse, too.
STRANGE: tuple[Any, ...] = ({"strange": [True]}, [], True, 7.5, "?", None)
TEXTS = ("2026-01-01T00:00:00Z", "2026-01-01")
QUERY = {"limit": ("1", "100"), "as_of": ("2026-02-28",)}
PROBLEM: Shape = {"type": text, "title": text, "status": whole, "detail": text}


@dataclass(frozen=True)
class Spoilt:
    """An answer that was changed in one place, said in words."""

    what: str
    exchange: Exchange


def expect_exact(bench: Bench, exchanges: Sequence[Exchange]) -> None:
    """Each spoilt answer must no longer fit."""
    spoilt = [one for exchange in exchanges for one in _spoilt(exchange)]
    for one, fault in zip(spoilt, bench.judged([one.exchange for one in spoilt]), strict=True):
        expect(
            bool(fault),
            expected=f"By its schema in the document, {one.exchange.operation.name} never answers {one.what}.",
            got=f"the schema of its {one.exchange.answer.status} lets that through",
            because=BECAUSE,
            did=bench.document.did,
        )


def expect_parameters(bench: Bench) -> None:
    """What may be sent by CONTRACT.md must be let through by the schema of its parameter."""
    asked = [
        (promise, parameter, value)
        for promise in PROMISES
        for operation in [find(bench.document, promise.method, promise.path)]
        if operation
        for parameter in operation.parameters
        for value in _allowed(promise, parameter)
    ]
    let_through = bench.fits([(parameter.get("schema", {}), value) for _, parameter, value in asked])
    for (promise, parameter, value), fitting in zip(asked, let_through, strict=True):
        expect(
            fitting,
            expected=f"By the document, {promise.name} takes {value!r} as {parameter['name']}.",
            got=f"the schema of {parameter['name']} does not let it through: {json.dumps(parameter['schema'])[:200]}",
            because="A generated client checks what it sends against the document, and never sends it.",
            did=bench.document.did,
        )


def _allowed(promise: Promise, parameter: dict[str, Any]) -> tuple[str, ...]:
    """Values that the promise lets a caller send as this parameter."""
    name, place = str(parameter.get("name")).lower(), parameter.get("in")
    if place == "path":
        return ("Re/2026-7",) if "by-number" in promise.path else ("7", "4000000000")
    if place == "header" and (name == "x-tenant-id" or (name == "idempotency-key" and promise.key)):
        return ("7",) if name == "x-tenant-id" else ("order 7/a", "k" * LONGEST)
    return QUERY.get(name, ()) if place == "query" and name in promise.query else ()


def _spoilt(exchange: Exchange) -> Iterator[Spoilt]:
    """For each promised field: without it, and with something strange in its place."""
    path = plain(exchange.operation.full_path)
    promise = PROMISED[exchange.operation.method, path]
    if not promise.shape:
        return
    body = exchange.answer.json()
    if exchange.answer.status >= 400:
        for what, changed in _changes(body, PROBLEM):
            yield _changed(exchange, what, changed)
        return
    for what, changed in _changes(body, promise.shape):
        yield _changed(exchange, what, changed)
    for holder, shape in (
        ("items", CUSTOMER if path == "/v1/customers" else INVOICE),
        ("lines", LINE),
    ):
        if isinstance(body.get(holder), list) and body[holder]:
            for what, changed in _changes(body[holder][0], shape):
                yield _changed(exchange, f"one of {holder} {what}", {**body, holder: [changed]})
    if isinstance(body.get("address"), dict):
        for what, changed in _changes(body["address"], ADDRESS):
            yield _changed(exchange, f"an address {what}", {**body, "address": changed})


def _changes(body: dict[str, Any], shape: Shape) -> Iterator[tuple[str, dict[str, Any]]]:
    """Without each field, and with each value in its place that is of another type than promised."""
    for name, field in shape.items():
        yield f"without {name}", {other: value for other, value in body.items() if other != name}
        for strange in STRANGE:
            if not _is_of(field, strange):
                yield f"with {json.dumps(strange)} as {name}", {**body, name: strange}


def _is_of(field: Field, value: Any) -> bool:
    """Whether the value has the type that was promised. Any text passes for a time or a date: formats may go unread."""
    samples = (value, *TEXTS) if isinstance(value, str) else (value,)
    return any(_reads(field, sample) for sample in samples)


def _reads(field: Field, value: Any) -> bool:
    try:
        field(value)
    except ValueError:
        return False
    return True


def _changed(exchange: Exchange, what: str, body: dict[str, Any]) -> Spoilt:
    answer = replace(exchange.answer, body=json.dumps(body).encode())
    return Spoilt(what, replace(exchange, answer=answer))
