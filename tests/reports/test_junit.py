"""JUnit XML against the rules of junit-10.xsd, which Jenkins publishes, written here as assertions."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from syrupy.assertion import SnapshotAssertion

from graders.reports.junit import to_junit
from graders.reports.model import Report
from graders.reports.plain import WHOLE_BYTES

from . import samples

# Per element: the attributes it must have, those it may have, and its children, as junit-10.xsd says.
RULES: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "disabled", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name"},
        {
            "tests",
            "failures",
            "errors",
            "time",
            "disabled",
            "skipped",
            "timestamp",
            "hostname",
            "id",
            "package",
        },
        {"properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": (
        {"name"},
        {"time", "classname", "group"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "skipped": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}


@samples.every
def test_it_keeps_the_schema(report: Report) -> None:
    root = ET.fromstring(to_junit(report).encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        must, may, children = RULES[element.tag]
        assert must <= set(element.keys()) <= must | may
        assert {child.tag for child in element} <= children
        if "time" in element.keys():  # noqa: SIM118 (an Element is no dict)
            assert re.fullmatch(r"\d+\.\d{3}", element.attrib["time"])
    suite = root[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])


@samples.every
def test_the_counts_are_those_of_the_cases(report: Report) -> None:
    suite = ET.fromstring(to_junit(report).encode())[0]
    for attribute, path in (
        ("tests", ""),
        ("failures", "/failure"),
        ("errors", "/error"),
        ("skipped", "/skipped"),
    ):
        assert int(suite.attrib[attribute]) == len(suite.findall(f"testcase{path}"))


def test_a_failure_carries_its_six_parts() -> None:
    failure = ET.fromstring(to_junit(samples.FAILED)).find(".//testcase[@name='hot-read-bounded']/failure")
    assert failure is not None
    body = failure.text or ""
    labels = ["What we did", "Expected", "Got", "Why it matters", "Service log", "Read"]
    places = [body.index(f"\n{label}\n") for label in labels]
    assert places == sorted(places)
    assert samples.WHALE.did in body


def test_the_time_is_utc() -> None:
    assert 'timestamp="2025-11-20T09:14:20"' in to_junit(samples.PASSED)
    assert 'timestamp="1970-01-01T00:00:00"' in to_junit(replace(samples.PASSED, started_at="yesterday"))


def test_it_says_what_the_submission_was_kept_from_and_which_lesson_it_was() -> None:
    suite = ET.fromstring(to_junit(samples.BLOCKED))[0]
    assert suite.findtext("system-out") == "Blocked\n" + "\n".join(samples.BLOCKED.blocked)
    assert suite.find("properties/property[@name='lesson_version'][@value='3']") is not None


@samples.every
def test_it_stays_under_its_cap(report: Report) -> None:
    assert len(to_junit(report).encode()) <= WHOLE_BYTES


def test_what_could_not_be_graded_is_an_error() -> None:
    suite = ET.fromstring(to_junit(samples.UNGRADED))[0]
    assert suite.attrib["errors"] == "7"
    grade = suite.find("testcase[@name='grade']/error")
    assert grade is not None
    assert "Free some disk space" in (grade.text or "")


def test_a_partial_grade_says_that_it_is_no_pass() -> None:
    skipped = ET.fromstring(to_junit(samples.PARTIAL)).find(".//testcase[@name='grade']/skipped")
    assert skipped is not None
    assert "not a pass" in skipped.attrib["message"]


def test_printed_in_a_log_it_commands_nothing() -> None:
    lines = to_junit(samples.HOSTILE).splitlines()
    assert not [line for line in lines if line.strip().startswith("::") or "##[" in line]


@pytest.mark.parametrize("name", ["SEVERAL", "UNGRADED", "HOSTILE"])
def test_the_document(name: str, snapshot: SnapshotAssertion) -> None:
    assert to_junit(getattr(samples, name)) == snapshot
