"""result.json against classroom50/result/v1: schemas/result-v1.schema.json and validate_result in runner.py.

The rules are those of foundation50/classroom50 as of August 2026, written here in our own words.
"""

import json
import re
from typing import Any

import pytest

from graders.reports.classroom50 import VARIABLES, Submission, missing, submission, to_classroom50
from graders.reports.model import Report
from graders.reports.plain import WHOLE_BYTES
from graders.reports.words import NoGrade

from . import samples

ENVIRON = {
    "CLASSROOM": "backend",
    "ASSIGNMENT": "indexes",
    "ASSIGNMENT_TYPE": "group",
    "OWNER": "ada",
    "SUBMISSION_TAG": "submit/2026-06-01T14-32-05Z-a1b2c3d",
    "COMMIT_URL": "https://example.org/commit/a1b2c3d",
    "RELEASE_URL": "https://example.org/releases/tag/x",
}
FIELDS = {
    "schema",
    "classroom",
    "assignment",
    "assignment_type",
    "owner",
    "submission",
    "commit",
    "release",
    "review",
    "datetime",
    "score",
    "max-score",
    "tests",
}
COLLECTED_BYTES = 10 * 1024 * 1024  # collect_scores.py refuses more


def result(report: Report) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(to_classroom50(report, submission(ENVIRON)))
    return read


@pytest.mark.parametrize("name", sorted(samples.EVERY.keys() - {"ungraded", "partial"}))
def test_it_keeps_the_schema(name: str) -> None:
    found = result(samples.EVERY[name])
    assert set(found) == FIELDS, "the schema is closed, and needs them all"
    assert found["schema"] == "classroom50/result/v1"
    assert found["assignment_type"] in ("individual", "group", "team")
    assert re.match("submit/", found["submission"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ", found["datetime"])
    assert all(
        isinstance(found[name], str) and found[name] for name in FIELDS - {"score", "max-score", "tests"}
    )
    for test in [*found["tests"], {**found, "test-name": "the whole", "passed": True}]:
        assert isinstance(test["test-name"], str)
        assert test["test-name"]
        assert isinstance(test["passed"], bool)
        assert type(test["score"]) is type(test["max-score"]) is int
        assert 0 <= test["score"] <= test["max-score"]


@samples.every
def test_it_stays_under_its_cap(report: Report) -> None:
    if report.verdict != "ungraded" and not report.partial:
        assert len(to_classroom50(report, submission(ENVIRON)).encode()) <= WHOLE_BYTES < COLLECTED_BYTES


def test_the_runners_variables_say_whose_it_is() -> None:
    assert submission(ENVIRON) == Submission(
        "backend",
        "indexes",
        "group",
        "ada",
        ENVIRON["SUBMISSION_TAG"],
        ENVIRON["COMMIT_URL"],
        ENVIRON["RELEASE_URL"],
        ENVIRON["COMMIT_URL"],
    )
    assert missing(ENVIRON) == []
    assert missing({}) == list(VARIABLES)


def test_what_was_blocked_and_the_lessons_version_are_there() -> None:
    about = result(samples.BLOCKED)["tests"][-1]
    assert (about["lesson-version"], about["max-score"]) == (3, 0)
    assert about["blocked"] == list(samples.BLOCKED.blocked)


@pytest.mark.parametrize("report", [samples.UNGRADED, samples.PARTIAL])
def test_what_is_no_grade_never_becomes_a_score(report: Report) -> None:
    with pytest.raises(NoGrade):
        to_classroom50(report, submission(ENVIRON))
