"""The table of a batch: on screens of any width, in a pipe, and as the CSV that spreadsheets read."""

import csv
from collections.abc import Callable
from dataclasses import replace
from io import StringIO

import pytest
from syrupy.assertion import SnapshotAssertion

from graders.reports.batch_rows import BatchRow, row_of, to_csv
from graders.reports.batch_screen import BatchProgress, render_batch

from . import samples
from .conftest import Shown

HASH = "5d82b67ac281e728194a5a4ee953c23cffc46475e497aa2e944e4f5c37f29e80"
ROWS = [
    BatchRow("ada", "pass", 100.0, 100, 12.3, 7, HASH, "", ""),
    BatchRow("brian-kernighan-and-a-name-as-long-as-a-learning-platform-makes-it", "fail", 62.5, 62, 9.0, 7, HASH,
             "first-page-bounded", ""),
    BatchRow("=cmd|' /C calc'!A0", "fail", 0.0, 0, 0.0, 7, "", "answers", "refused: web.py is not a regular file."),
    BatchRow("grace", "ungraded", 0.0, 0, 3.2, 7, "", "", "The grader ended without a result."),
    *(BatchRow(f"late-{n}", "ungraded", 0.0, 0, 0.0, 7, "", "", "not graded yet") for n in range(1, 6)),
]  # fmt: skip
STOPPED = "grace could not be graded, and the reference, graded next, is no pass: The disk is full. Free some space."


@pytest.mark.parametrize(("width", "encoding"), [(60, "utf-8"), (80, "utf-8"), (80, "ascii"), (120, "utf-8")])
def test_table(width: int, encoding: str, shown: Callable[..., Shown], snapshot: SnapshotAssertion) -> None:
    page = shown(width, encoding=encoding)
    render_batch(ROWS, page.console, stopped=STOPPED, folder="results/lesson-05")
    assert page.text == snapshot
    assert max(len(line) for line in page.text.splitlines()) <= width


def test_without_a_terminal_a_line_for_each_row(
    shown: Callable[..., Shown], snapshot: SnapshotAssertion
) -> None:
    page = shown()
    with BatchProgress(page.console, len(ROWS)) as progress:
        for row in ROWS[:4]:
            progress.told(row, row.name == "ada")
    assert page.text == snapshot


def test_a_terminal_sees_a_bar_and_is_left_clean(shown: Callable[..., Shown]) -> None:
    page = shown(terminal=True)
    with BatchProgress(page.console, 40) as progress:
        for row in ROWS[:2]:
            progress.told(row, False)
    assert "2/40" in page.text
    assert "1 passed, 1 not passed yet" in page.text
    assert page.text.rstrip().endswith("\x1b[2K"), "the bar is wiped out"


def test_no_cell_of_the_csv_is_a_formula() -> None:
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1+1", '"quoted"', "a,b", "plain"]
    rows = [replace(ROWS[0], name=name, note=name) for name in names]
    read = list(csv.DictReader(StringIO(to_csv(rows), newline="")))
    assert [row["name"].lstrip("'") for row in read] == names
    for row in read:
        assert row["name"][0] not in "=+-@\uff1d"
        assert row["note"][0] not in "=+-@\uff1d"


def test_the_csv_as_it_is(snapshot: SnapshotAssertion) -> None:
    assert to_csv(ROWS) == snapshot


def test_a_row_says_what_failed_first_and_why_there_is_no_verdict() -> None:
    failed = row_of("ada", samples.FAILED)
    assert failed.first_failed == next(one.id for one in samples.FAILED.checks if one.verdict == "fail")
    assert failed.note == ""
    trouble = samples.UNGRADED.trouble
    assert trouble is not None
    assert row_of("ada", samples.UNGRADED).note == trouble.problem
    assert row_of("ada", samples.FAILED, "refused: x\n\x1b[31my").note == "refused: x \\x1b[31my"
