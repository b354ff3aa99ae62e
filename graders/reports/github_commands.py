"""Commands to GitHub's runner: annotations for a report, and how everything else is kept from being one."""

from graders.check import Verdict
from graders.reports.model import Outcome, Report
from graders.reports.plain import part, safe
from graders.reports.words import NOT_YOUR_LOSS, score_words, verdict_words

# GitHub shows ten of each kind per step and drops the rest.
SHOWN_PER_STEP = 10
TEXT_CHARACTERS = 500

KINDS: dict[Verdict, str] = {"pass": "notice", "fail": "error", "ungraded": "warning", "skipped": "notice"}


def stop_commands(token: str) -> str:
    """The line from which on the runner obeys nothing, until `resume_commands` with the same unguessable token."""
    return f"::stop-commands::{token}"


def resume_commands(token: str) -> str:
    """The line that ends what `stop_commands` began."""
    return f"::{token}::"


def annotations(report: Report) -> list[str]:
    """One line for the verdict, and one for each failed check as far as GitHub shows them."""
    report = safe(report)
    failures = [outcome for outcome in report.checks if outcome.verdict == "fail"]
    shown = failures[: SHOWN_PER_STEP - 1]
    return [_verdict(report), *(_failure(report, outcome) for outcome in shown)]


def _verdict(report: Report) -> str:
    words = [verdict_words(report), score_words(report)]
    if report.verdict == "ungraded":
        problem = f"{report.trouble.problem}\n{report.trouble.remedy}" if report.trouble else ""
        words = [f"{problem}\n{NOT_YOUR_LOSS}".strip()]
    title = f"{report.lesson} {'could not be graded' if report.verdict == 'ungraded' else report.title}"
    return _command(KINDS[report.verdict], title, ", ".join(word for word in words if word))


def _failure(report: Report, outcome: Outcome) -> str:
    said = outcome.title
    if outcome.failure:
        said = f"{outcome.title}\nExpected: {outcome.failure.expected}\nGot: {outcome.failure.got}"
    return _command("error", f"{report.lesson} {outcome.id}", said)


def _command(kind: str, title: str, message: str) -> str:
    return f"::{kind} title={_property(part(title, 200))}::{_data(part(message, TEXT_CHARACTERS))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
