"""The screens of `list` and `status`."""

from collections.abc import Callable

import pytest
from syrupy.assertion import SnapshotAssertion

from graders.reports.page import page_for, show
from graders.reports.tables import LessonRow, StatusRow, lesson_lines, status_lines

from .conftest import Shown

LESSONS = [
    LessonRow("lesson-04", "Persistence, data modelling, queries", "core", 90, "passed", 100.0),
    LessonRow("lesson-05", "Indexes, query plans, performance paths", "core", 75, "started", 62.5),
    LessonRow("lesson-06", "Authentication, authorization, trust boundaries", "core", 120, "not started"),
    LessonRow(
        "lesson-14", "Pagination: cursor against offset, stable under writes", "elective", 45, "started"
    ),
]
STATUS = [
    StatusRow("lesson-04", 3, 100.0, "pass", "2025-11-19 18:02"),
    StatusRow("lesson-05", 12, 62.5, "fail", "2025-11-20 09:14"),
    StatusRow("lesson-06", 1, None, "ungraded", "2025-11-20 10:40"),
]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lessons(width: int, shown: Callable[..., Shown], snapshot: SnapshotAssertion) -> None:
    page = shown(width)
    show(lesson_lines(LESSONS, page_for(page.console)), page.console)
    assert page.text == snapshot
    assert max(len(line) for line in page.text.splitlines()) <= width


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_status(encoding: str, shown: Callable[..., Shown], snapshot: SnapshotAssertion) -> None:
    page = shown(encoding=encoding)
    show(status_lines(STATUS, page_for(page.console)), page.console)
    assert page.text == snapshot


def test_nothing_yet_says_where_to_begin(shown: Callable[..., Shown]) -> None:
    page = shown()
    show([*lesson_lines([], page_for(page.console)), *status_lines([], page_for(page.console))], page.console)
    assert "octo_lab list" in page.text
