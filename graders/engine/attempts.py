"""The learner's attempts, in a small SQLite store of the user's. What is shown of them stands elsewhere."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from graders.reports.json_report import dumps, loads
from graders.reports.model import Report

TABLES = """
CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY, lesson TEXT NOT NULL, started_at TEXT NOT NULL, verdict TEXT NOT NULL,
    score REAL NOT NULL, counts INTEGER NOT NULL, report TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS attempts_by_lesson ON attempts (lesson, id);
CREATE TABLE IF NOT EXISTS hints (
    lesson TEXT NOT NULL, check_id TEXT NOT NULL, shown INTEGER NOT NULL, PRIMARY KEY (lesson, check_id));
"""


class StoreUnusable(Exception):
    """The attempts cannot be read or kept; the text says where and why."""


@dataclass(frozen=True)
class Record:
    """What a learner has reached in one lesson. Only whole grades of their own files count."""

    lesson: str
    attempts: int
    best: float
    passed: bool
    last_verdict: str
    last_at: str


def place() -> Path:
    """The store's file: $OCTO_LAB_DATA, or the user's data folder."""
    folder = os.environ.get("OCTO_LAB_DATA") or platformdirs.user_data_path("octo_lab")
    return Path(folder) / "attempts.sqlite3"


def keep(report: Report, *, counts: bool) -> None:
    """Add one attempt. `counts` is false for --only, the reference, and authors' fixes. Raises StoreUnusable."""
    row = (report.lesson, report.started_at, report.verdict, report.score, counts, dumps(report))
    with _open() as store:
        store.execute(
            "INSERT INTO attempts (lesson, started_at, verdict, score, counts, report) VALUES (?, ?, ?, ?, ?, ?)",
            row,
        )


def records() -> dict[str, Record]:
    """Records by lesson. Raises StoreUnusable."""
    query = """
        SELECT lesson, count(*), max(score), max(verdict = 'pass'),
               (SELECT verdict FROM attempts b WHERE b.lesson = a.lesson AND counts ORDER BY id DESC LIMIT 1),
               max(started_at)
        FROM attempts a WHERE counts AND verdict <> 'ungraded' GROUP BY lesson"""
    with _open() as store:
        rows = store.execute(query).fetchall()
    return {row[0]: Record(row[0], row[1], row[2], bool(row[3]), row[4], row[5]) for row in rows}


def last_report(lesson: str) -> Report | None:
    """The newest report of the lesson that gave a verdict on the learner's files. Raises StoreUnusable."""
    query = "SELECT report FROM attempts WHERE lesson = ? AND counts AND verdict <> 'ungraded' ORDER BY id DESC LIMIT 1"
    with _open() as store:
        row = store.execute(query, (lesson,)).fetchone()
    return loads(row[0]) if row else None


def next_hint(lesson: str, check_id: str) -> int:
    """Count one more hint of a check as shown: 1, 2, 3, and 3 ever after. Raises StoreUnusable."""
    with _open() as store:
        store.execute(
            "INSERT INTO hints VALUES (?, ?, 1) ON CONFLICT (lesson, check_id) DO UPDATE SET shown = min(shown + 1, 3)",
            (lesson, check_id),
        )
        shown = store.execute("SELECT shown FROM hints WHERE (lesson, check_id) = (?, ?)", (lesson, check_id))
        return int(shown.fetchone()[0])


@contextmanager
def _open() -> Iterator[sqlite3.Connection]:
    path = place()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=10)) as store, store:
            store.executescript(TABLES)
            yield store
    except (OSError, sqlite3.Error, ValueError) as error:
        raise StoreUnusable(
            f"{path}: {error}. Move the file away, or set OCTO_LAB_DATA to another folder."
        ) from error
