"""Whether the document is exact: an answer with a promised field missing, or of another type, fits its schema no more."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graders.check import expect
from graders.lesson_02.promised import PROMISES, plain
from graders.lesson_02.shapes import ADDRESS, CUSTOMER, INVOICE, LINE, Field, Shape, text, whole
from graders.probes.openapi_bench import Exchange, judged
from graders.probes.openapi_document import Document

BECAUSE = (
    "A schema that lets everything through tells nobody what comes: clients generated from it have no types."
)
# One value of each type of JSON; what a promised field's own reader refuses, its schema must refuse, too.
STRANGE: tuple[Any, ...] = ({"strange": [True]}, [], True, 7.5, "?", None)
PROBLEM: Shape = {"type": text, "title": text, "status": whole, "detail": text}


@dataclass(frozen=True)
class Spoilt:
    """An answer that was changed in one place, said in words."""

    what: str
    exchange: Exchange


def expect_exact(document: Document, exchanges: Sequence[Exchange]) -> None:
    """Each spoilt answer must no longer fit."""
    spoilt = [one for exchange in exchanges for one in _spoilt(exchange)]
    for one, fault in zip(spoilt, judged(document, [one.exchange for one in spoilt]), strict=True):
        expect(
            bool(fault),
            expected=f"By its schema in the document, {one.exchange.operation.name} never answers {one.what}.",
            got=f"the schema of its {one.exchange.answer.status} lets that through",
            because=BECAUSE,
            did=document.did,
        )


def _spoilt(exchange: Exchange) -> Iterator[Spoilt]:
    """For each promised field: without it, and with something strange in its place."""
    path = plain(exchange.operation.full_path)
    promise = next(one for one in PROMISES if (one.method, one.path) == (exchange.operation.method, path))
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
    if isinstance(value, str) and _takes_text(field):
        return True
    try:
        field(value)
    except ValueError:
        return False
    return True


def _takes_text(field: Field) -> bool:
    for sample in ("2026-01-01T00:00:00Z", "2026-01-01"):
        try:
            field(sample)
        except ValueError:
            continue
        return True
    return False


def _changed(exchange: Exchange, what: str, body: dict[str, Any]) -> Spoilt:
    answer = replace(exchange.answer, body=json.dumps(body).encode())
    return Spoilt(what, replace(exchange, answer=answer))
