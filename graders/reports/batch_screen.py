"""A batch on a screen: a bar or plain lines while it runs, the table at its end."""

from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from graders.check import Verdict
from graders.reports.batch_rows import BatchRow
from graders.reports.grid import grid
from graders.reports.page import Page, hanging, page_for, prose, show
from graders.reports.plain import one_line
from graders.reports.words import VERDICT_WORDS

COUNTED: tuple[Verdict, ...] = ("pass", "fail", "ungraded")


class BatchProgress:
    """How far a batch is: a bar in a terminal, a line for each row everywhere else. A context manager."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._page = page_for(console)
        self._total = total
        self._rows: list[BatchRow] = []
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        # FORCE_COLOR makes rich take a pipe for a terminal; redrawing needs a real one.
        animated = console.is_interactive and getattr(console.file, "isatty", lambda: False)()
        self._bar = Progress(*columns, console=console, transient=True) if animated else None

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
            self._task = self._bar.add_task("grading", total=self._total)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def told(self, row: BatchRow, before: bool) -> None:
        """A row is finished. `before`: it stood from an earlier run."""
        self._rows.append(row)
        if self._bar:
            self._bar.update(self._task, advance=1, description=_counts(self._rows, self._page))
            return
        number = f"{len(self._rows):>{len(str(self._total))}}/{self._total}"
        name = self._page.legible(row.name)
        took = "from before" if before else f"{row.seconds:.1f} s"
        line = Text(f"{number}  ") + self._page.mark(row.verdict) + Text(f"  {name}  {_score(row)}  {took}")
        show([line], self._console)


def render_batch(rows: Sequence[BatchRow], console: Console, *, stopped: str = "", folder: str = "") -> None:
    """Print the table of a batch. `stopped`: why it ended early; `folder`: where the CSV and the reports are."""
    show(batch_lines(rows, page_for(console), stopped=stopped, folder=folder), console)


def batch_lines(rows: Sequence[BatchRow], page: Page, *, stopped: str = "", folder: str = "") -> list[Text]:
    """The table as finished lines: rows, notes in words, counts, and where the files are."""
    rows = page.legible(tuple(rows))
    blocks = [_table(rows, page), _notes(rows, page), _stopped(stopped, page), _end(rows, page, folder)]
    return [line for block in blocks if block for line in [*block, Text()]][:-1]


def _table(rows: Sequence[BatchRow], page: Page) -> list[Text]:
    heading = [Text(word, "dim") for word in ("", "submission", "score", "seconds", "failed first")]
    return grid(
        [heading, *(_cells(row, page) for row in rows)], page, flexible=1, right=frozenset({2, 3}), indent=0
    )


def _cells(row: BatchRow, page: Page) -> list[Text]:
    texts = (row.name, _score(row), f"{row.seconds:.1f}", row.first_failed)
    return [page.mark(row.verdict), *(Text(text) for text in texts)]


def _score(row: BatchRow) -> str:
    return "-" if row.verdict == "ungraded" else f"{row.score:g} %"


def _notes(rows: Sequence[BatchRow], page: Page) -> list[Text]:
    """What is to be said of a row; where many share it, once."""
    by_note: dict[str, list[str]] = {}
    for row in rows:
        by_note.setdefault(row.note, []).append(row.name)
    said = ((_few(names), note) for note, names in by_note.items() if note)
    return [line for names, note in said for line in prose(f"{names}: {note}", page)]


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _stopped(reason: str, page: Page) -> list[Text]:
    if not reason:
        return []
    told = f"Stopped, since the machine is to blame. {one_line(reason)}"
    return hanging(page.mark("ungraded"), page.legible(told), page)


def _end(rows: Sequence[BatchRow], page: Page, folder: str) -> list[Text]:
    lines = [Text(f"{len(rows)} submissions: {_counts(rows, page)}", "bold")]
    if any(row.verdict == "ungraded" for row in rows):
        lines += prose("The same command again grades those that were not graded.", page)
    return lines + (prose(page.legible(f"{folder}: results.csv, reports/"), page) if folder else [])


def _counts(rows: Sequence[BatchRow], page: Page) -> str:
    count = Counter(row.verdict for row in rows)
    told = [f"{count[verdict]} {VERDICT_WORDS[verdict]}" for verdict in COUNTED if count[verdict]]
    return ", ".join(told) or "none"
