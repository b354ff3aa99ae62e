"""The screens of a grade: what was checked, the first failure in full, the score, and what to do next."""

from rich.console import Console
from rich.text import Text

from graders.reports.failure_screen import LABEL, QUIET, failure_lines
from graders.reports.grid import grid
from graders.reports.model import Outcome, Report
from graders.reports.next_steps import NextLesson, failed, next_steps
from graders.reports.page import Page, flowing, hanging, page_for, prose, show
from graders.reports.plain import safe, safe_outcome
from graders.reports.words import NOT_SELECTED, NOT_YOUR_LOSS, PARTIAL, VERDICT_WORDS, verdict_words


def render(
    report: Report, console: Console, *, verbose: bool = False, next_lesson: NextLesson | None = None
) -> None:
    """Print the screen of one grade. `verbose` shows every failure, and all of each."""
    show(report_lines(report, page_for(console), verbose=verbose, next_lesson=next_lesson), console)


def render_failure(outcome: Outcome, console: Console) -> None:
    """Print one failed check in full, for `octo_lab explain` and authors."""
    page = page_for(console)
    show(failure_lines(page.legible(safe_outcome(outcome)), page, verbose=True), console)


def report_lines(
    report: Report, page: Page, *, verbose: bool = False, next_lesson: NextLesson | None = None
) -> list[Text]:
    """The screen of one grade as finished lines."""
    report = page.legible(safe(report))
    blocks = [
        _header(report, page, verbose),
        _checks(report, page),
        _trouble(report, page),
        *_failures(report, page, verbose),
        _blocked(report, page),
        _result(report, page),
        next_steps(report, page, next_lesson),
    ]
    return [line for block in blocks if block for line in [*block, Text()]][:-1]


def _header(report: Report, page: Page, verbose: bool) -> list[Text]:
    lines = prose(f"{report.lesson}{page.marks.dot}{report.title}", page, style="bold")
    if verbose:
        rows = [
            [Text(phase.name), Text(f"{phase.seconds:.1f} s"), Text(_payer(phase.learner)), Text(phase.note)]
            for phase in report.phases
        ]
        return lines + grid(rows, page, flexible=3, right=frozenset({1}))
    return lines + flowing(
        [Text(f"{phase.name} {phase.seconds:.1f} s", QUIET) for phase in report.phases], page
    )


def _payer(learner: bool) -> str:
    return "your service" if learner else "the kit"


def _checks(report: Report, page: Page) -> list[Text]:
    if all(outcome.verdict == "ungraded" for outcome in report.checks):
        return []
    rows = [
        [page.mark(outcome.verdict), Text(outcome.id), _about(outcome), Text(_points(outcome), QUIET)]
        for outcome in report.checks
        if outcome.note != NOT_SELECTED
    ]
    return grid(rows, page, flexible=2, right=frozenset({3}))


def _about(outcome: Outcome) -> Text:
    """The check's title; why it was not judged, where it was not."""
    if outcome.verdict in ("skipped", "ungraded") and outcome.note:
        return Text(f"{VERDICT_WORDS[outcome.verdict]}: {outcome.note}", QUIET)
    return Text(outcome.title)


def _points(outcome: Outcome) -> str:
    return f"{outcome.points if outcome.verdict == 'pass' else 0}/{outcome.points}"


def _trouble(report: Report, page: Page) -> list[Text]:
    if report.verdict != "ungraded":
        return []
    said = f"{report.lesson} could not be graded. {NOT_YOUR_LOSS}"
    head = hanging(page.mark("ungraded"), said, page, style="bold")
    if report.trouble is None:
        unjudged = next((outcome for outcome in report.checks if outcome.verdict == "ungraded"), None)
        return [*head, *(prose(f"{unjudged.id}: {unjudged.note}", page, indent=4) if unjudged else [])]
    parts = (("Problem", report.trouble.problem), ("What to do", report.trouble.remedy))
    lines = [
        line for label, text in parts for line in [Text(f"  {label}", LABEL), *prose(text, page, indent=4)]
    ]
    details = report.trouble.details
    shown = [Text("  Details", LABEL), *prose(details, page, indent=4, style=QUIET)] if details else []
    return [*head, *lines, *shown]


def _failures(report: Report, page: Page, verbose: bool) -> list[list[Text]]:
    failures = failed(report)
    if verbose:
        return [failure_lines(outcome, page, verbose=True) for outcome in failures]
    if not failures:
        return []
    blocks = [failure_lines(failures[0], page, verbose=False)]
    if failures[1:]:
        rows = [[page.mark("fail"), Text(outcome.id), Text(_brief(outcome))] for outcome in failures[1:]]
        blocks.append(
            [
                Text.assemble(("Also failing", LABEL), (" (--verbose shows each in full)", QUIET)),
                *grid(rows, page, flexible=2),
            ]
        )
    return blocks


def _brief(outcome: Outcome) -> str:
    got = outcome.failure.got if outcome.failure else outcome.note
    return next((line.strip() for line in got.splitlines() if line.strip()), outcome.title)


def _blocked(report: Report, page: Page) -> list[Text]:
    if not report.blocked:
        return []
    rows = (hanging(page.mark("fail"), text, page) for text in report.blocked)
    return [Text("Blocked", LABEL), *(line for row in rows for line in row)]


def _result(report: Report, page: Page) -> list[Text]:
    score = [f"{report.score:g} %", f"{report.points} of {report.points_possible} points"]
    has_score = report.verdict != "ungraded" and not report.partial
    facts = [Text(fact, "bold") for fact in [verdict_words(report), *(score if has_score else [])]]
    facts += [Text(fact, QUIET) for fact in (f"seed {report.seed}", f"isolation: {report.isolation}")]
    lines = flowing(facts, page)
    if report.partial:
        lines += prose(PARTIAL, page)
    return lines
