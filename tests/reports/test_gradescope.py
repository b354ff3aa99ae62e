"""results.json against Gradescope's published rules (gradescope-autograders.readthedocs.io/en/latest/specs)."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from graders.reports.gradescope import to_gradescope
from graders.reports.model import Report
from graders.reports.plain import WHOLE_BYTES
from graders.reports.words import NoGrade

from . import samples

VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
SPECIFICATION = {
    "type": "object",
    "required": ["tests"],
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": FORMAT,
        "test_output_format": FORMAT,
        "test_name_format": FORMAT,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "leaderboard": {"type": "array"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["score"],
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "name_format": FORMAT,
                    "number": {"type": "string"},
                    "output": {"type": "string"},
                    "output_format": FORMAT,
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "visibility": VISIBILITY,
                    "extra_data": {"type": "object"},
                },
            },
        },
    },
}

graded = pytest.mark.parametrize("name", sorted(samples.EVERY.keys() - {"ungraded", "partial"}))


def results(report: Report) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(to_gradescope(report))
    return read


@graded
def test_it_keeps_the_specification_and_the_cap(name: str) -> None:
    text = to_gradescope(samples.EVERY[name])
    Draft202012Validator(SPECIFICATION).validate(json.loads(text))
    assert len(text.encode()) <= WHOLE_BYTES
    assert text.isascii()
    assert "##" not in text


@pytest.mark.parametrize("report", [samples.PASSED, samples.FAILED, samples.SEVERAL])
def test_the_score_is_that_of_the_tests(report: Report) -> None:
    found = results(report)
    assert found["score"] == sum(test["score"] for test in found["tests"])
    assert [test["status"] for test in found["tests"]] == [
        "passed" if check.verdict == "pass" else "failed" for check in report.checks
    ]


def test_a_failure_is_told_in_full() -> None:
    output = results(samples.FAILED)["tests"][1]["output"]
    for part in (samples.WHALE.did, samples.WHALE.expected, samples.WHALE.got, samples.WHALE.because):
        assert part in output


def test_a_skipped_check_says_why() -> None:
    skipped = results(samples.FAILED)["tests"][2]
    assert (skipped["score"], skipped["output"]) == (0, "hot-read-bounded did not pass")


def test_what_was_blocked_and_the_lessons_version_are_there() -> None:
    found = results(samples.BLOCKED)
    assert found["extra_data"]["lesson_version"] == 3
    assert all(sentence in found["output"] for sentence in samples.BLOCKED.blocked)


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (samples.UNGRADED, "Postgres did not start within 30 seconds."),
        (samples.PARTIAL, "Only some checks of lesson-05 ran (--only)"),
    ],
)
def test_what_is_no_grade_never_becomes_a_score(report: Report, said: str) -> None:
    with pytest.raises(NoGrade) as refused:
        to_gradescope(report)
    assert said in str(refused.value)
