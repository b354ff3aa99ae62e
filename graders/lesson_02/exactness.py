"""Whether the document is exact: an answer with a promised field missing, or of another type, fits its schema no more."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graders.check import expect
from graders.lesson_02.promised import PROMISES, plain
from graders.lesson_02.shapes import CUSTOMER, INVOICE
from graders.probes.openapi_bench import Exchange, judged
from graders.probes.openapi_document import Document

BECAUSE = (
    "A schema that lets everything through tells nobody what comes: clients generated from it have no types."
)
# Of a type that no promised field has.
STRANGE = {"strange": [True]}


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
    for name in promise.shape:
        without = {other: value for other, value in body.items() if other != name}
        yield _changed(exchange, f"without {name}", without)
        yield _changed(exchange, f"with {json.dumps(STRANGE)} as {name}", {**body, name: STRANGE})
    if isinstance(body.get("items"), list) and body["items"]:
        first = body["items"][0]
        for name in CUSTOMER if path == "/v1/customers" else INVOICE:
            without = {other: value for other, value in first.items() if other != name}
            yield _changed(exchange, f"an item without {name}", {**body, "items": [without]})
            yield _changed(
                exchange,
                f"an item with {json.dumps(STRANGE)} as {name}",
                {**body, "items": [{**first, name: STRANGE}]},
            )
    for name in ("total_cents", "amount_cents", "outstanding_cents"):
        if name in body:
            yield _changed(exchange, f"12.5 as {name}", {**body, name: 12.5})


def _changed(exchange: Exchange, what: str, body: dict[str, Any]) -> Spoilt:
    answer = replace(exchange.answer, body=json.dumps(body).encode())
    return Spoilt(what, replace(exchange, answer=answer))
