"""The report as Gradescope's results.json (gradescope-autograders.readthedocs.io, Autograder Specifications)."""

from typing import Any

from graders.reports.json_report import as_text
from graders.reports.model import Outcome, Report
from graders.reports.plain import fitted
from graders.reports.words import failure_text, for_a_gradebook, replay, score_words, verdict_words


def to_gradescope(report: Report) -> str:
    """results.json: a test for each check, points as in the lesson. At most 1 MB; Gradescope publishes no bound.

    Raises NoGrade for what is no grade. Gradescope then finds no results.json, says that the autograder failed,
    and leaves the submission without a score until somebody grades it again.
    """
    return fitted(for_a_gradebook(report), lambda safe: as_text(_results(safe)))


def _results(report: Report) -> dict[str, Any]:
    return {
        "score": report.points,
        "execution_time": round(report.seconds),
        "output": _summary(report),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": _extra_data(report),
        "tests": [_test(number, outcome) for number, outcome in enumerate(report.checks, start=1)],
    }


def _summary(report: Report) -> str:
    lines = [
        f"{report.lesson}: {verdict_words(report)}, {score_words(report)}",
        f"To see it on your own machine: {replay(report)}",
        f"isolation: {report.isolation}",
    ]
    if report.blocked:
        lines += ["", "Blocked", *report.blocked]
    return "\n".join(lines)


def _extra_data(report: Report) -> dict[str, Any]:
    return {
        "lesson": report.lesson,
        "lesson_version": report.lesson_version,
        "kit_version": report.kit_version,
        "seed": report.seed,
        "tree_hash": report.tree_hash,
        "isolation": report.isolation,
        "blocked": list(report.blocked),
    }


def _test(number: int, outcome: Outcome) -> dict[str, Any]:
    passed = outcome.verdict == "pass"
    return {
        "number": str(number),
        "name": f"{outcome.id}: {outcome.title}",
        "score": outcome.points if passed else 0,
        "max_score": outcome.points,
        "status": "passed" if passed else "failed",
        "output": failure_text(outcome.failure) if outcome.failure else outcome.note,
        "tags": [outcome.criterion],
        "visibility": "visible",
    }
