"""One line of a batch for each submission, and the CSV that spreadsheets read. The screen stands in `batch_screen`."""

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from io import StringIO

from graders.check import Verdict
from graders.reports.model import Report
from graders.reports.plain import one_line

NOTE_CHARACTERS = 300
# Spreadsheets take a cell that begins so for a formula (OWASP, CSV injection); the last four are full-width.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@dataclass(frozen=True)
class BatchRow:
    """What became of one submission. `score` in percent; `first_failed` is a check, in lesson order; texts can be shown."""

    name: str
    verdict: Verdict
    score: float
    points: int
    seconds: float
    seed: int
    tree_hash: str
    first_failed: str
    note: str


def row_of(name: str, report: Report, note: str = "") -> BatchRow:
    """The row of a graded submission. Without a note of its own, trouble is told."""
    failed = next((outcome.id for outcome in report.checks if outcome.verdict == "fail"), "")
    told = note or (report.trouble.problem if report.trouble else "")
    return BatchRow(
        name=name,
        verdict=report.verdict,
        score=report.score,
        points=report.points,
        seconds=round(report.seconds, 1),
        seed=report.seed,
        tree_hash=report.tree_hash,
        first_failed=failed,
        note=one_line(told, NOTE_CHARACTERS),
    )


def to_csv(rows: Iterable[BatchRow]) -> str:
    """The rows as CSV with a heading (RFC 4180, but lines end as elsewhere here); no cell is a formula."""
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(field.name for field in fields(BatchRow))
    for row in rows:
        table.writerow(_cell(value) for value in asdict(row).values())
    return text.getvalue()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
