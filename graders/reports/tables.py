"""The screens of `list` and `status`: the lessons, and how far the learner has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.text import Text

from graders.check import Verdict
from graders.reports.grid import grid
from graders.reports.page import Page
from graders.reports.words import VERDICT_WORDS

State = Literal["passed", "started", "not started"]


@dataclass(frozen=True)
class LessonRow:
    """One line of `list`. `best` is the best score so far in percent, None before the first verdict."""

    id: str
    title: str
    track: str
    minutes: int
    state: State
    best: float | None = None


@dataclass(frozen=True)
class StatusRow:
    """One line of `status`. `best` in percent; `last` is the last verdict, `last_at` when it was given."""

    lesson: str
    attempts: int
    best: float | None
    last: Verdict
    last_at: str


def lesson_lines(rows: Sequence[LessonRow], page: Page) -> list[Text]:
    """The lessons, one a line, with what has become of each."""
    if not rows:
        return [Text("No lessons here yet.")]
    heading = _heading("", "lesson", "title", "track", "min", "state")
    cells = [
        [_sign(row, page), *_cells(row.id, row.title, row.track, str(row.minutes), _state(row))]
        for row in page.legible(tuple(rows))
    ]
    return grid([heading, *cells], page, flexible=2, right=frozenset({4}), indent=0)


def status_lines(rows: Sequence[StatusRow], page: Page) -> list[Text]:
    """The attempts at each lesson that was tried."""
    if not rows:
        return [Text("No attempts yet. Begin with: octo_lab list")]
    heading = _heading("", "lesson", "attempts", "best", "last", "when")
    cells = [
        [
            page.mark(row.last),
            *_cells(row.lesson, str(row.attempts), _score(row.best), VERDICT_WORDS[row.last], row.last_at),
        ]
        for row in page.legible(tuple(rows))
    ]
    return grid([heading, *cells], page, flexible=5, right=frozenset({2, 3}), indent=0)


def _heading(*words: str) -> list[Text]:
    return [Text(word, "dim") for word in words]


def _cells(*texts: str) -> list[Text]:
    return [Text(text) for text in texts]


def _sign(row: LessonRow, page: Page) -> Text:
    return page.mark("pass") if row.state == "passed" else Text()


def _state(row: LessonRow) -> str:
    if row.state == "started" and row.best is not None:
        return f"best {_score(row.best)}"
    return row.state


def _score(percent: float | None) -> str:
    return "-" if percent is None else f"{percent:g} %"
