"""The report as the result.json of a Classroom 50 autograder (schema classroom50/result/v1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graders.reports.json_report import as_text
from graders.reports.model import Outcome, Report
from graders.reports.plain import fitted
from graders.reports.words import for_a_gradebook, started_utc

# Set by Classroom 50's runner for an autograder; it checks owner and assignment_type, and stamps the times itself.
VARIABLES = ("CLASSROOM", "ASSIGNMENT", "OWNER", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL")


@dataclass(frozen=True)
class Submission:
    """Whose submission was graded, in Classroom 50's words."""

    classroom: str
    assignment: str
    assignment_type: str
    owner: str
    tag: str
    commit: str
    release: str
    review: str


def missing(environ: Mapping[str, str]) -> list[str]:
    """The runner's variables that are not set."""
    return [name for name in VARIABLES if not environ.get(name)]


def submission(environ: Mapping[str, str]) -> Submission:
    """The submission that the runner's variables name; all of VARIABLES must be there."""
    classroom, assignment, owner, tag, commit, release = (environ[name] for name in VARIABLES)
    kind = environ.get("ASSIGNMENT_TYPE") or "individual"
    review = environ.get("REVIEW_URL") or commit
    return Submission(classroom, assignment, kind, owner, tag, commit, release, review)


def to_classroom50(report: Report, submission: Submission) -> str:
    """result.json: a test for each check, and one without points about the grade. At most 1 MB of the 10 MiB allowed.

    Raises NoGrade for what is no grade: without a result.json the runner records an error, not a zero.
    """
    return fitted(for_a_gradebook(report), lambda safe: as_text(_result(safe, submission)))


def _result(report: Report, submission: Submission) -> dict[str, Any]:
    return {
        "schema": "classroom50/result/v1",
        "classroom": submission.classroom,
        "assignment": submission.assignment,
        "assignment_type": submission.assignment_type,
        "owner": submission.owner,
        "submission": submission.tag,
        "commit": submission.commit,
        "release": submission.release,
        "review": submission.review,
        "datetime": f"{started_utc(report)}Z",
        "score": report.points,
        "max-score": report.points_possible,
        "tests": [*(_test(outcome) for outcome in report.checks), _about(report)],
    }


def _test(outcome: Outcome) -> dict[str, Any]:
    passed = outcome.verdict == "pass"
    got = outcome.failure.got if outcome.failure else outcome.note
    return {
        "test-name": f"{outcome.id}: {outcome.title}",
        "passed": passed,
        "score": outcome.points if passed else 0,
        "max-score": outcome.points,
        **({"message": got} if got else {}),
    }


def _about(report: Report) -> dict[str, Any]:
    """What the schema has no field for: only a test may carry fields of its own."""
    return {
        "test-name": "about this grade (no points)",
        "passed": True,
        "score": 0,
        "max-score": 0,
        "lesson": report.lesson,
        "lesson-version": report.lesson_version,
        "kit-version": report.kit_version,
        "seed": report.seed,
        "tree-hash": report.tree_hash,
        "isolation": report.isolation,
        "blocked": list(report.blocked),
    }
