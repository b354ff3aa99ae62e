"""A document is read within bounds, worked on in a process apart, and what it can't stand is its own failure."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from graders.check import Failure
from graders.probes import openapi_bench
from graders.probes.api import Answer, Api
from graders.probes.openapi_bench import Bench, Exchange
from graders.probes.openapi_document import Document, fetch
from graders.probes.transcript import Transcript
from tests.probes.test_api import Stub, reply

REFERENCE = Path(__file__).parents[2] / "reference_service" / "openapi.json"
TEXT = {"type": "string"}
TINY: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Tiny", "version": "1"},
    "paths": {
        "/things/{id}": {
            "parameters": [{"$ref": "#/components/parameters/Id"}],
            "put": {
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
                },
                "responses": {"200": {"description": "The thing"}},
            },
        }
    },
    "components": {
        "parameters": {"Id": {"name": "id", "in": "path", "required": True, "schema": TEXT}},
        "schemas": {
            "Thing": {
                "type": "object",
                "properties": {"size": {"type": "integer", "minimum": 1, "maximum": 9}},
                "required": ["size"],
                "additionalProperties": False,
            }
        },
    },
}


def tiny(**changes: Any) -> Document:
    return Document("curl it", {**deepcopy(TINY), **changes})


def with_thing(schema: Any) -> Document:
    document = tiny()
    document.content["components"]["schemas"]["Thing"] = schema
    return document


@pytest.fixture
def served() -> Any:
    """Serve a body as the document, and fetch it."""
    stub = Stub()

    def fetched(body: bytes) -> Document:
        stub.behaviour = reply(body)
        return fetch(Api(stub.url, Transcript()))

    yield fetched
    stub.close()


OnBench = Callable[[Document], Bench]


@pytest.fixture
def on_bench() -> Iterator[OnBench]:
    """A bench for a document, gone after the test."""
    with ExitStack() as stack:
        yield lambda document: stack.enter_context(closing(Bench(document)))


def deep(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels):
        value = {"allOf": [value]}
    return value


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ([], "no object with `paths`"),
        ({"openapi": "3.1.0", "paths": []}, "no object with `paths`"),
        ({**TINY, "openapi": "2.0"}, "'2.0'"),
        ({**TINY, "x": {"$ref": "http://127.0.0.1:1/schema.json"}}, "$ref: http://"),
        ({**TINY, "x": {"$ref": "file:///etc/passwd"}}, "$ref: file:"),
        ({**TINY, "x": {"$ref": "other.json#/a"}}, "$ref: other.json"),
        ({**TINY, "x": deep(60)}, "deep"),
        ({**TINY, "x": [0] * 60_000}, "more than 50000 values"),
        ({**TINY, "x": "y" * 1_100_000}, "bytes"),
    ],
)
def test_what_is_not_fit_to_work_with_is_refused(served: Any, content: Any, why: str) -> None:
    with pytest.raises(Failure) as failed:
        served(json.dumps(content).encode())
    assert why in failed.value.got


def test_a_document_is_read(served: Any) -> None:
    document = served(json.dumps({**TINY, "servers": [{"url": "https://x.example/api/{v}/", "variables": {
        "v": {"default": "v7"}}}]}).encode())  # fmt: skip
    (operation,) = document.operations()
    assert operation.name == "PUT /api/v7/things/{id}"
    assert [one["name"] for one in operation.parameters] == ["id"]


@pytest.mark.parametrize(
    "paths",
    [
        {"/a": None},
        {"/a": []},
        {"/a": {"get": 7, "parameters": "x"}},
        {"/a": {"get": {"parameters": [7, None]}}},
    ],
)
def test_odd_shapes_have_no_operation_or_a_bare_one(paths: Any) -> None:
    assert all(not one.parameters for one in tiny(paths=paths).operations())


@pytest.mark.parametrize("reference", ["#/a", "#/components/schemas/None", "#/paths/7"])
def test_a_reference_that_leads_nowhere(reference: str) -> None:
    with pytest.raises(Failure, match="leads into the document"):
        tiny().resolved({"$ref": reference})


def test_references_in_a_circle() -> None:
    document = tiny(a={"$ref": "#/b"}, b={"$ref": "#/a"})
    with pytest.raises(Failure) as failed:
        document.resolved({"$ref": "#/a"})
    assert "leads back" in failed.value.got


def test_faults_are_named_with_their_place(on_bench: OnBench) -> None:
    assert on_bench(tiny()).faults() == []
    ((at, what),) = on_bench(tiny(info={"title": "Tiny"})).faults()
    assert (at, "version" in what) == ("info", True)
    size = {"type": "integer", "maximum": 9, "default": 20}
    ((at, what),) = on_bench(with_thing({"type": "object", "properties": {"size": size}})).faults()
    assert at == "components/schemas/Thing/properties/size/default"


def test_a_parameter_lets_through_what_its_schema_says(on_bench: OnBench) -> None:
    document = tiny()
    document.content["components"]["schemas"]["Size"] = {"type": "integer", "maximum": 30}
    asked = [({"$ref": "#/components/schemas/Size"}, "30"), ({"$ref": "#/components/schemas/Size"}, "31")]
    assert on_bench(document).fits([*asked, (TEXT, "7"), ({}, "x")]) == [True, False, True, True]


def test_the_reference_is_without_fault(on_bench: OnBench) -> None:
    assert on_bench(Document("", json.loads(REFERENCE.read_text()))).faults() == []


def test_cases_fit_or_do_not_and_are_always_the_same(
    on_bench: OnBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = on_bench(tiny()).cases(8)
    monkeypatch.setattr(openapi_bench, "kept", lambda kind, inputs, work: work())
    again = on_bench(tiny())
    assert again.faults() == []
    assert cases == again.cases(8) == again.cases(8)
    fitting = [case.body for case in cases if case.fits]
    assert fitting
    assert all(set(body) == {"size"} and 1 <= body["size"] <= 9 for body in fitting)
    others = [case.body for case in cases if not case.fits]
    assert others
    assert not {json.dumps(body) for body in others} & {json.dumps(body) for body in fitting}


def answer(body: object, status: int = 200, kind: str = "application/json") -> Answer:
    return Answer("curl", status, {"Content-Type": kind}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("came", "fault"),
    [
        (answer({"status": "ready"}), ""),
        (answer({"status": 7}), "schema"),
        (answer({}), "schema"),
        (answer({"status": "ready"}, status=418), "tatus"),
        (answer({"status": "ready"}, kind="text/html"), "ontent"),
    ],
)
def test_answers_are_held_against_the_document(on_bench: OnBench, came: Answer, fault: str) -> None:
    document = Document("", json.loads(REFERENCE.read_text()))
    ready = next(one for one in document.operations() if one.path == "/livez")
    came = Answer(came.did, came.status, {**came.headers, "X-Request-ID": "r"}, came.body)
    (found,) = on_bench(document).judged([Exchange(ready, "/livez", came)])
    assert (bool(found), fault in found) == (bool(fault), True)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(([a-z])+.)+[A-Z]([a-z])+$"}}},
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "(("}}},
        {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/Thing"}}, "required": ["a"]},
        {"type": "string", "minLength": 10_000_000_000},
        {"allOf": [{"type": "string"}, {"type": "integer"}]},
        {"type": "array", "minItems": 100_000, "items": {"type": "array", "minItems": 100_000}},
    ],
)
def test_a_schema_that_wants_too_much_ends(
    on_bench: OnBench, schema: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With cases, with none, or as a failure of the document's: never as an error of ours."""
    monkeypatch.setattr(openapi_bench, "PROCESSOR_SECONDS", 8)
    with suppress(Failure):
        assert isinstance(on_bench(with_thing(schema)).cases(3), list)


def test_nothing_of_the_surroundings_reaches_the_child(
    on_bench: OnBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No hook, no configuration, no module of the folder that we stand in."""
    for name in ("schemathesis.toml", "hooks.py", "sitecustomize.py", "schemathesis.py"):
        (tmp_path / name).write_text("raise SystemExit('found')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCHEMATHESIS_HOOKS", "hooks")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert on_bench(tiny()).faults() == []
