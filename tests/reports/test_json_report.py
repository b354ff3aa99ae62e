"""The report as JSON: the round trip, the schema, and what is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from syrupy.assertion import SnapshotAssertion

from graders.reports.json_report import InvalidReport, dumps, from_json, loads, schema, to_json
from graders.reports.model import FailureText, Report
from graders.reports.plain import PART_CHARACTERS, WHOLE_BYTES, safe

from . import samples


@pytest.mark.parametrize("name", sorted(samples.EVERY.keys() - {"huge"}))
def test_there_and_back_again(name: str) -> None:
    report = samples.EVERY[name]
    assert from_json(to_json(report)) == safe(report)
    assert loads(dumps(report)) == safe(report)
    assert dumps(loads(dumps(report))) == dumps(report)


@samples.every
def test_what_is_written_keeps_the_schema(report: Report) -> None:
    Draft202012Validator.check_schema(schema())
    Draft202012Validator(schema()).validate(json.loads(dumps(report)))


def test_the_document(snapshot: SnapshotAssertion) -> None:
    assert dumps(samples.SEVERAL) == snapshot


def test_the_hostile_document(snapshot: SnapshotAssertion) -> None:
    written = dumps(samples.HOSTILE)
    assert written.isascii()
    assert "##" not in written
    assert written == snapshot


def test_the_order_of_the_stores_does_not_matter() -> None:
    turned = replace(samples.PASSED, stores=dict(reversed(samples.PASSED.stores.items())))
    assert dumps(turned) == dumps(samples.PASSED)


def test_every_field_is_described() -> None:
    def undescribed(node: Any, place: str) -> list[str]:
        found = []
        for name, field in node.get("properties", {}).items():
            found += [] if "description" in field else [f"{place}/{name}"]
        return found

    nodes = {"": schema(), **schema()["$defs"]}
    assert [field for place, node in nodes.items() for field in undescribed(node, place)] == []


def test_parts_are_cut_with_a_mark() -> None:
    failure = FailureText(
        "a" * 9_999, "b" * PART_CHARACTERS, "c" * 10**7, "d", ("e" * 9_999,) * 99, ("f",) * 99
    )
    report = replace(samples.PASSED, checks=(replace(samples.CHECKS[0], verdict="fail", failure=failure),))
    written = to_json(report)["checks"][0]["failure"]
    assert len(written["did"]) == PART_CHARACTERS
    assert written["did"].endswith("a … [cut: 9999 characters]")
    assert written["expected"] == "b" * PART_CHARACTERS
    assert sum(len(line) for line in written["log"]) <= PART_CHARACTERS
    assert written["log"][0] == "… [earlier lines: 96]"
    assert written["log"][-1].endswith("… [cut: 9999 characters]")


def test_the_whole_stays_under_its_bound() -> None:
    text = "\N{OCTOPUS}\x1b" * 9_999
    failure = FailureText(text, text, text, text, (text,) * 99, (text,) * 99)
    outcome = replace(samples.CHECKS[0], verdict="fail", failure=failure, title=text, note=text)
    report = replace(samples.FAILED, checks=(outcome,) * 60)
    written = dumps(report)
    assert len(written) <= WHOLE_BYTES
    assert len(loads(written).checks) == 60


def test_too_many_checks_are_refused() -> None:
    with pytest.raises(InvalidReport, match="5000 checks are too many"):
        to_json(replace(samples.PASSED, checks=samples.CHECKS[:1] * 5_000))


def wrong(**changes: Any) -> dict[str, Any]:
    return {**to_json(samples.FAILED), **changes}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "at the top level: None is not of type 'object'"),
        ([], "at the top level"),
        ({}, "at the top level: 'schema_version' is a required property"),
        (wrong(verdict="skipped"), "at verdict: 'skipped' is not one of"),
        (wrong(schema_version=2), "has schema_version 2; this kit reads 1"),
        (wrong(extra=1), "'extra' was unexpected"),
        (wrong(score=101), "at score: 101 is greater than the maximum of 100"),
        (wrong(checks=[{}]), "at checks/0"),
        (wrong(points=True), "at points: True is not of type 'integer'"),
        (wrong(title="\x1b[31m\n" * 9_999), "at title"),
    ],
)
def test_what_is_no_report_is_refused_with_its_place(data: object, message: str) -> None:
    with pytest.raises(InvalidReport) as refused:
        from_json(data)
    said = str(refused.value)
    assert message in said
    assert len(said) < 600
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[:-9], "not JSON"),
        (lambda text: "[" * 100_000, "not JSON"),
        (lambda text: text + " " * WHOLE_BYTES, "at most 1000000"),
        (lambda text: text.replace('"score": 66.7', '"score": NaN'), "NaN is no number in JSON"),
    ],
)
def test_a_damaged_file_is_refused(damage: Callable[[str], str], message: str) -> None:
    with pytest.raises(InvalidReport, match=message):
        loads(damage(dumps(samples.FAILED)))
