"""What a stranger makes of a Location, and what a document lacks."""

import json
from pathlib import Path
from typing import Any

import pytest

from graders.lesson_02.completeness import gaps
from graders.lesson_02.located import path_of
from graders.lesson_02.patches import merged
from graders.lesson_02.promised import PROMISES, find
from graders.probes.openapi_document import Document

REFERENCE = Path(__file__).parents[2] / "reference_service"
BY_HAND = Path(__file__).parents[2] / "graders" / "lesson_02" / "right_fixes" / "document-by-hand"


def document(folder: Path) -> Document:
    return Document("curl", json.loads((folder / "openapi.json").read_text()))


@pytest.mark.parametrize("folder", [REFERENCE, BY_HAND], ids=["reference", "by hand"])
def test_nothing_is_missing_in_either_style(folder: Path) -> None:
    assert gaps(document(folder)) == []


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.name)
def test_each_operation_that_is_taken_away_is_missed(promise: Any) -> None:
    found = document(BY_HAND)
    operation = find(found, promise.method, promise.path)
    assert operation
    del found.content["paths"][operation.path][operation.method]
    assert gaps(found) == [f"{promise.name} answers, and is not in it"]


def test_a_refusal_that_is_not_documented_is_missed() -> None:
    found = document(REFERENCE)
    del found.content["paths"]["/v1/customers"]["post"]["responses"]["415"]
    (gap,) = gaps(found)
    assert gap.startswith("POST /v1/customers: no 415")


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/v1/customers/7", "/v1/customers/7"),
        ("http://shop.example:80/v1/customers/7", "/v1/customers/7"),
        ("customers/7?x=1", "/v1/customers/7?x=1"),
        ("http://[", "/"),
    ],
)
def test_a_location_is_followed_on_the_service_itself(location: str, path: str) -> None:
    assert path_of(location, "/v1/customers") == path


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ],
)
def test_merging_is_that_of_rfc_7396(target: Any, patch: Any, result: Any) -> None:
    """Of the RFC's appendix A."""
    assert merged(target, patch) == result
