"""What a learner does after a grade, and the commands for it."""

from dataclasses import dataclass

from rich.text import Text

from graders.reports.failure_screen import LABEL, QUIET
from graders.reports.grid import grid
from graders.reports.model import Outcome, Report
from graders.reports.page import Page, prose


@dataclass(frozen=True)
class NextLesson:
    """The lesson that follows, for the screen of a pass."""

    id: str
    title: str


def failed(report: Report) -> list[Outcome]:
    """The checks that failed, in lesson order."""
    return [outcome for outcome in report.checks if outcome.verdict == "fail"]


def next_steps(report: Report, page: Page, next_lesson: NextLesson | None) -> list[Text]:
    """The last block of a screen: commands, each with what it is for, or congratulations."""
    if report.verdict == "pass" and not report.partial:
        return _congratulations(report, page, next_lesson)
    lesson = report.lesson
    steps = []
    failures = failed(report)
    if report.verdict == "ungraded":
        steps = [("octo_lab doctor", "what is there, what is not, and what to do")]
    elif failures:
        steps = [
            (f"octo_lab hint {lesson}", "a hint, one step at a time"),
            (f"octo_lab explain {lesson} {failures[0].id}", "what it asks for"),
            (f"octo_lab run {lesson}", "serves your copy, to try it"),
        ]
    elif report.partial:
        steps = [(f"octo_lab grade {lesson}", "all checks of the lesson")]
    rows = [[Text(command, "cyan"), Text(what, QUIET)] for command, what in steps]
    return [Text("Next", LABEL), *grid(rows, page, flexible=1)] if rows else []


def _congratulations(report: Report, page: Page, next_lesson: NextLesson | None) -> list[Text]:
    if report.submission == "reference":
        return prose(f"The reference passes all {len(report.checks)} checks of {report.lesson}.", page)
    lines = prose(f"Congratulations: all {len(report.checks)} checks pass, {report.lesson} is done.", page)
    if next_lesson:
        command = f"octo_lab start {next_lesson.id}"
        lines += grid([[Text(command, "cyan"), Text(next_lesson.title, QUIET)]], page, flexible=1)
    return lines
