"""The document: valid, complete, true, exact, and enough for a stranger."""

import random
from collections.abc import Iterator
from contextlib import closing
from itertools import islice

import pytest

from graders.check import check, expect
from graders.lesson_02.completeness import gaps
from graders.lesson_02.exactness import expect_exact, expect_parameters
from graders.lesson_02.population import Population
from graders.lesson_02.promised import PROMISES, plain
from graders.lesson_02.stranger import Stranger, expect_usable
from graders.lesson_02.truth import EXAMPLES, expect_routed, expect_true, refused_exchanges, send_all
from graders.probes.api import Api
from graders.probes.openapi_bench import Bench, Case
from graders.probes.openapi_document import BECAUSE, Document

MOST_GAPS = 6


@pytest.fixture(scope="session")
def bench(openapi: Document) -> Iterator[Bench]:
    """Where the document is worked on."""
    with closing(Bench(openapi)) as bench:
        yield bench


@pytest.fixture(scope="session")
def cases(bench: Bench) -> list[Case]:
    """Requests made from the document: the same ones for the same document."""
    return bench.cases(EXAMPLES)


@check("document-valid")
def test_valid(openapi: Document, bench: Bench) -> None:
    """The document is what the OpenAPI specification says a document is."""
    faults = bench.faults()
    expect(
        not faults,
        expected="A document without a fault after the OpenAPI specification.",
        got="\n".join(f"at {at or 'the top'}: {what}" for at, what in faults),
        because=BECAUSE,
        did=openapi.did,
    )


@check("document-complete", needs=["document-valid"])
def test_complete(openapi: Document) -> None:
    """Each path and method is in the document, with its parameters, its body, and every answer that comes."""
    missing = gaps(openapi)
    expect(
        not missing,
        expected="The document has each operation of the service, whole.",
        got="\n".join(
            missing[:MOST_GAPS] + [f"and {len(missing) - MOST_GAPS} more"] * (len(missing) > MOST_GAPS)
        ),
        because=BECAUSE,
        did=openapi.did,
    )


@check("document-true", needs=["document-valid"])
def test_true(
    http: Api, openapi: Document, bench: Bench, cases: list[Case], people: Population, rng: random.Random
) -> None:
    """What the document says is so: made from it, requests are accepted or refused as it says, and answered so."""
    expect_routed(http, openapi, people, rng)
    expect_true(bench, list(send_all(http, openapi, cases, people, rng)))


@check("document-exact", needs=["document-complete", "answers-as-promised", "lists-alike"])
def test_exact(
    http: Api, openapi: Document, bench: Bench, cases: list[Case], people: Population, rng: random.Random
) -> None:
    """By their schemas, answers have each promised field, typed and required, and parameters may be all that is promised."""
    expect_parameters(bench)
    exchanges = []
    for promise in PROMISES:
        fitting = [
            case
            for case in cases
            if case.fits
            and (case.method.lower(), plain(openapi.base + case.path)) == (promise.method, promise.path)
        ]
        succeeded = (
            sent.exchange
            for sent in send_all(http, openapi, fitting, people, rng)
            if sent.exchange.answer.status == promise.status
        )
        exchanges += [*islice(succeeded, 1)]
    exchanges += refused_exchanges(http, openapi, people, rng)
    expect_exact(bench, exchanges)


@check("stranger-can-use-it", needs=["document-valid", "created-is-found"])
def test_stranger(
    http: Api, openapi: Document, bench: Bench, cases: list[Case], people: Population, rng: random.Random
) -> None:
    """With the document alone, a stranger makes a customer, drafts an invoice, sends it, and has it paid."""
    expect_usable(Stranger(http, openapi, people.tenant(rng), cases))
