"""A release rehearsed while others write: who waits for whom is read from the lock table, never from a clock."""

import re
import time
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import psycopg
from psycopg.errors import LockNotAvailable

from graders.probes.ddl_watch import Statement, watched
from graders.probes.postgres import Postgres
from graders.probes.service import ReleaseRun, Service

# What INSERT, UPDATE and DELETE can't share a table with (PostgreSQL manual, 13.3.1).
SHUT_OUT_WRITERS = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
PATIENCE = (
    8.0  # seconds that a second writer queues; a migration with a short lock_timeout steps aside well before
)
SURE_PATIENCE = 1.0  # the same where the whole build would hold the lock: how long is only for the message
PAUSE = 0.004
LONG = ("CREATE INDEX", "REINDEX", "table rewrite")

WAITING = """
    SELECT waits.locktype, waits.mode, coalesce(waits.relation::regclass::text, ''), activity.query
    FROM pg_locks AS waits
    JOIN pg_stat_activity AS activity ON activity.pid = waits.pid
    WHERE NOT waits.granted AND activity.datname = current_database() AND activity.usename = 'billing_owner'
"""


@dataclass(frozen=True)
class Wait:
    """The release waits for a lock: of which kind and strength, on which table, in which statement."""

    kind: str
    mode: str
    table: str
    query: str

    @property
    def on_invoices(self) -> bool:
        return self.kind == "relation" and self.table == "public.invoices"

    @property
    def shuts_out_writers(self) -> bool:
        return self.on_invoices and self.mode in SHUT_OUT_WRITERS


@dataclass(frozen=True)
class ShutOut:
    """The evidence that writers could not write: the migration's statement, its lock, what that meant for a writer."""

    statement: str
    lock: str
    meaning: str


@dataclass(frozen=True)
class Rehearsal:
    """What came of one release on a database in use. `writers` transactions wrote while it ran."""

    exit_code: int
    output: str
    writers: int
    shut_out: ShutOut | None


class Writers:
    """Transactions on `invoices`, at least one open at any time, as on a table in use. Each changes a row of its own."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        ids = [id for (id,) in postgres.rows("SELECT id FROM public.invoices ORDER BY id LIMIT 100")]
        self._rows = cycle(ids)
        self._last = postgres.value("SELECT max(id) FROM public.invoices")
        self._open: list[psycopg.Connection[Any]] = []
        self.written = 0

    def begin(self) -> None:
        """Change the last row: whoever updates the whole table comes to it last, holding all others."""
        self._write(self._last, PATIENCE)

    def another(self, seconds: float) -> bool:
        """One more writer, while those before are open; False when it can't have its row within `seconds`."""
        try:
            self._write(next(self._rows), seconds)
        except LockNotAvailable:
            return False
        return True

    def let_go(self, newest: int = 0) -> None:
        """Commit all but the newest few."""
        for session in self._open[: len(self._open) - newest]:
            self._open.remove(session)
            session.commit()
            session.close()

    def _write(self, id: int, seconds: float) -> None:
        session = self._postgres.session()
        try:
            session.execute("SELECT set_config('lock_timeout', %s, false)", [f"{round(seconds * 1000)}ms"])
            session.execute("UPDATE invoices SET paid_cents = paid_cents WHERE id = %s", [id])
        except BaseException:
            session.close()
            raise
        self._open.append(session)
        self.written += 1


def rehearse(postgres: Postgres, service: Service, seconds: float) -> Rehearsal:
    """Run `release` on the database of `postgres` while its `invoices` are being written, at most `seconds` long."""
    with watched(postgres) as statements:
        writers = Writers(postgres)
        writers.begin()
        try:
            run = service.release(postgres.database)
            shut_out = _attend(postgres, run, writers, time.monotonic() + seconds)
        finally:
            writers.let_go()
        exit_code = run.wait(seconds)
    return Rehearsal(exit_code, run.output(), writers.written, shut_out or _held_too_long(statements))


def _attend(postgres: Postgres, run: ReleaseRun, writers: Writers, deadline: float) -> ShutOut | None:
    """Keep a writer at work until the release ends; when it waits for that one, another takes over."""
    while run.poll() is None and time.monotonic() < deadline:
        wait = _wait_of(postgres)
        if wait is None:
            time.sleep(PAUSE)
            continue
        if not writers.another(SURE_PATIENCE if wait.mode == "ShareLock" and wait.on_invoices else PATIENCE):
            return _queue_behind(wait)
        if wait.shuts_out_writers:
            # It stepped aside for the writer, so it tries again: from here on it finds the table free.
            return None
        writers.let_go(newest=1)
    return None


def _wait_of(postgres: Postgres) -> Wait | None:
    """The lock for which the release waits, the table before anything else."""
    waits = [Wait(*row) for row in postgres.catalog(WAITING)]
    return min(waits, key=lambda wait: not wait.shuts_out_writers, default=None)


def _queue_behind(wait: Wait) -> ShutOut:
    if wait.shuts_out_writers:
        lock = f"asked for a lock that shuts out writers ({spoken(wait.mode)})"
    else:
        lock = "kept the locks of rows that it had changed"
    return ShutOut(
        one_line(wait.query),
        lock,
        "A writer who came after it had to wait in line behind it, and was still waiting when we gave up.",
    )


def _held_too_long(statements: list[Statement]) -> ShutOut | None:
    """A build or a rewrite of the table that ended while its lock shut out writers."""
    for statement in statements:
        shut = sorted(set(statement.held) & set(SHUT_OUT_WRITERS))
        if statement.about == "public.invoices" and shut and statement.command in LONG:
            lock = f"held a lock that shuts out writers ({spoken(shut[0])})"
            return ShutOut(
                statement.command, lock, "It was held until the whole table had been read or written."
            )
    return None


def spoken(mode: str) -> str:
    """A lock mode as the manual writes it: ShareRowExclusiveLock is SHARE ROW EXCLUSIVE."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", mode.removesuffix("Lock")).upper()


def one_line(query: str) -> str:
    """A statement on one line, without its comments."""
    without_comments = re.sub(r"--[^\n]*", "", query)
    return " ".join(without_comments.split())[:200]
