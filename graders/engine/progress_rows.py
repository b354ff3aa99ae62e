"""How far a learner is: attempts joined with the catalog, as rows for the screens."""

from collections.abc import Sequence
from typing import cast

from graders.check import Verdict
from graders.engine import attempts
from graders.reports.tables import LessonRow, State, StatusRow
from labs.catalog import Lab


def lessons(labs: Sequence[Lab]) -> list[LessonRow]:
    """A row for each lesson. Without a usable store of attempts nothing is known of them, and the lessons remain."""
    try:
        records = attempts.records()
    except attempts.StoreUnusable:
        records = {}
    return [_lesson(lab, records.get(lab.id)) for lab in labs]


def _lesson(lab: Lab, record: attempts.Record | None) -> LessonRow:
    state: State = (
        "passed" if record and record.passed else "started" if record or lab.work.exists() else "not started"
    )
    track = f"{lab.track}, draft" if lab.draft else lab.track
    return LessonRow(lab.id, lab.title, track, lab.minutes, state, record.best if record else None)


def attempted() -> list[StatusRow]:
    """A row for each lesson that was tried. Raises StoreUnusable."""
    return [
        StatusRow(
            record.lesson, record.attempts, record.best, cast(Verdict, record.last_verdict), record.last_at
        )
        for record in attempts.records().values()
    ]
