"""One failure in full: its six parts in the order in which a learner reads them."""

import re
from collections.abc import Sequence

from rich.text import Text

from graders.reports.model import FailureText, Outcome
from graders.reports.page import Page, prose, verbatim

BRIEF_ROWS = 14
BRIEF_LOG_LINES = 3
BRIEF_LOG_ROWS = 3

# Members of a line of JSON that are a time or an id that was drawn: --verbose shows them.
DRAWN = re.compile(r'"\w+": ?"(?:\d{4}-\d\d-\d\dT[^"]*|[0-9a-f]{16,}|[0-9a-f]{8}-[0-9a-f-]{27})", ?')

LABEL = "bold"
QUIET = "dim"


def failure_lines(outcome: Outcome, page: Page, *, verbose: bool) -> list[Text]:
    """The failed check `outcome`: its name, then the six parts; brief unless `verbose`."""
    heading = Text("  ").join([page.mark(outcome.verdict), Text(outcome.id, "bold")])
    lines = [heading, *prose(outcome.title, page, indent=2)]
    if outcome.failure is None:
        return [*lines, *prose(outcome.note, page, indent=4)]
    return lines + _parts(outcome.failure, page, verbose)


def _parts(failure: FailureText, page: Page, verbose: bool) -> list[Text]:
    lines = _labelled(
        "What we did", verbatim(failure.did or "(no command was recorded)", indent=4, style="cyan")
    )
    for label, text in (
        ("Expected", failure.expected),
        ("Got", failure.got),
        ("Why it matters", failure.because),
    ):
        rows = prose(text, page, indent=4)
        lines += _labelled(label, rows if verbose else _first(rows, BRIEF_ROWS, page))
    lines += _labelled("Service log", _log(failure.log, page, verbose))
    return lines + _labelled("Read", [row for place in failure.read for row in prose(place, page, indent=4)])


def _labelled(label: str, rows: list[Text]) -> list[Text]:
    return [Text(f"  {label}", LABEL), *rows] if rows else []


def _first(rows: list[Text], limit: int, page: Page) -> list[Text]:
    if len(rows) <= limit:
        return rows
    left = len(rows) - limit + 1
    return [
        *rows[: limit - 1],
        Text(f"    {page.marks.more} {left} more lines (--verbose shows them)", QUIET),
    ]


def _log(log: Sequence[str], page: Page, verbose: bool) -> list[Text]:
    if not log:
        return [Text("    (the service wrote nothing meanwhile)", QUIET)]
    if verbose:
        return [row for line in log for row in prose(line, page, indent=4, style=QUIET)]
    rows = [row for line in log[-BRIEF_LOG_LINES:] for row in _brief_log_line(line, page)]
    if len(log) <= BRIEF_LOG_LINES:
        return rows
    return [Text(f"    {page.marks.more} earlier lines (--verbose shows them)", QUIET), *rows]


def _brief_log_line(line: str, page: Page) -> list[Text]:
    """What happened comes first: a line of JSON is cut where it is long, and times and ids that were drawn fill it."""
    rows = prose(DRAWN.sub("", line), page, indent=4, style=QUIET)
    if len(rows) > BRIEF_LOG_ROWS:
        rows = rows[:BRIEF_LOG_ROWS]
        rows[-1].truncate(page.width - len(page.marks.more))
        rows[-1].append(page.marks.more, QUIET)
    return rows
