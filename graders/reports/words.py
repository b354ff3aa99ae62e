"""What several formats say in the same words: verdicts, the six parts of a failure, the score."""

from datetime import UTC, datetime
from shlex import quote

from graders.check import Verdict
from graders.reports.model import FailureText, Report

VERDICT_WORDS: dict[Verdict, str] = {
    "pass": "passed",
    "fail": "not passed yet",
    "ungraded": "not graded",
    "skipped": "skipped",
}
LABELS = ("What we did", "Expected", "Got", "Why it matters", "Service log", "Read")
PARTIAL = "Some checks were left out (--only): this never counts as a pass of the lesson."
NOT_SELECTED = "not selected"
NOT_YOUR_LOSS = "This does not count against you."


class NoGrade(Exception):
    """There is no grade to hand to a gradebook; the text says why. Nothing is written, least of all a zero."""


def verdict_words(report: Report) -> str:
    """The verdict as a person reads it."""
    chosen = [outcome.verdict for outcome in report.checks if outcome.note != NOT_SELECTED]
    if report.partial and set(chosen) == {"pass"}:
        return "these checks passed"
    return VERDICT_WORDS[report.verdict]


def score_words(report: Report) -> str:
    """Percent and points; empty when there is no grade."""
    if report.verdict == "ungraded":
        return ""
    return f"{report.score:g} %, {report.points} of {report.points_possible} points"


def replay(report: Report) -> str:
    """The command that grades again with the same random values; whatever the report says, one command."""
    reference = " --reference" if report.submission == "reference" else ""
    return f"octo_lab grade {quote(report.lesson)}{reference} --seed {report.seed}"


def by_hand(report: Report, check: str) -> str:
    """The commands that serve the lesson and give a hint for a failed check."""
    lesson = quote(report.lesson)
    return f"octo_lab run {lesson}\nocto_lab hint {lesson} {quote(check)}"


def started_utc(report: Report) -> str:
    """When the grade began: UTC without a zone and without fractions, which every reader understands."""
    try:
        started = datetime.fromisoformat(report.started_at)
    except ValueError:
        return "1970-01-01T00:00:00"
    utc = started.astimezone(UTC) if started.tzinfo else started
    return utc.strftime("%Y-%m-%dT%H:%M:%S")


def six_parts(failure: FailureText) -> list[tuple[str, str]]:
    """Label and text of each part, in the order in which a learner reads them."""
    log = "\n".join(failure.log) or "(the service wrote nothing meanwhile)"
    texts = (failure.did, failure.expected, failure.got, failure.because, log, "\n".join(failure.read))
    return list(zip(LABELS, texts, strict=True))


def failure_text(failure: FailureText) -> str:
    """The six parts as plain text, a blank line between two of them."""
    return "\n\n".join(f"{label}\n{text}" for label, text in six_parts(failure) if text)


def for_a_gradebook(report: Report) -> Report:
    """`report`, if it holds the grade of a lesson. Raises NoGrade where the kit or the machine failed, or --only."""
    if report.verdict == "ungraded":
        problem = report.trouble.problem if report.trouble else "a check could not be judged"
        raise NoGrade(f"{report.lesson} could not be graded, so there is no score to hand on: {problem}")
    if report.partial:
        raise NoGrade(f"Only some checks of {report.lesson} ran (--only): that is no grade to hand on.")
    return report
