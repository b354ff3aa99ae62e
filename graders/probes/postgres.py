"""Postgres as its operator sees it: rows by SQL, and what the service's statements cost while something happened."""

import re
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.errors import LockNotAvailable
from psycopg.pq import TransactionStatus

from compose.postgres import GRADER_DATABASE as STATISTICS
from compose.postgres import connect
from compose.stores import Login, PostgresServer
from graders.check import CannotJudge
from graders.probes import log_file, refusals, server_log
from graders.probes.observation import Counted, Observation
from graders.probes.transcript import Transcript

QUIET_WITHIN = 10.0
IMPATIENT = 0.5
LOG_CAP = 64 * 1024 * 1024  # bytes of log during one observation
LOCK_WITHIN = "20s"
PUBLIC = {"search_path": "public"}
# Nothing that a trigger of the submission's has set or locked or made in a session is there for the next statement.
AS_NEW: LiteralString = "DISCARD ALL"

# The superuser's sessions leave no trace in what is counted, and open no view and no foreign table of anybody's.
UNSEEN = {
    "auto_explain.log_min_duration": "-1",
    "pg_stat_statements.track": "none",
    "log_statement": "none",
    "restrict_nonsystem_relation_kind": "view,foreign-table",
}

# In whichever database: a service could keep its work in the one that is not looked at.
COST: LiteralString = """
    SELECT coalesce(sum(calls), 0)::bigint,
           coalesce(sum(buffers), 0)::bigint,
           coalesce(sum(buffers) FILTER (WHERE plans = 0), 0)::bigint,
           (SELECT dealloc FROM public.pg_stat_statements_info())
    FROM public.pg_stat_statements(false) AS statement
    CROSS JOIN LATERAL (SELECT shared_blks_hit + shared_blks_read + temp_blks_read + temp_blks_written) AS of (buffers)
    JOIN pg_roles ON pg_roles.oid = statement.userid
    WHERE toplevel AND rolname IN ('billing_app', 'billing_owner')
"""
IMPORT_LOG: LiteralString = """
    SELECT coalesce(sum(wal_bytes), 0)::bigint
    FROM public.pg_stat_statements(false) AS statement
    JOIN pg_roles ON pg_roles.oid = statement.userid
    WHERE toplevel AND rolname = 'billing_import'
"""

# A session that sits in a transaction for a whole second has forgotten it, and is not waited for.
BUSY: LiteralString = """
    SELECT query FROM pg_stat_activity
    WHERE usename IN ('billing_app', 'billing_owner') AND state <> 'idle'
      AND (state = 'active' OR state_change > clock_timestamp() - interval '1 second')
"""

# Of other databases pg_locks has no names: the number must do.
HOLDERS: LiteralString = """
    SELECT DISTINCT mode, 'table ' || relation, query
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE granted AND locktype = 'relation' AND mode LIKE '%%Exclusive%%'
      AND usename IN ('billing_app', 'billing_owner')
"""


def psql(statement: str, database: str = "billing", login: str = "billing_app") -> str:
    """The line a learner can paste while `octo_lab run` is up."""
    quoted = f'"{statement}"' if not re.search(r'["$`\\!]', statement) else shlex.quote(statement)
    return f"psql postgresql://{login}:octo_lab@127.0.0.1:54320/{database} -c {quoted}"


class Postgres:
    """One database of the running server, seen through sessions of the grader's own.

    Whatever touches the service's tables goes through a role with the service's rights: a trigger or a view of the
    submission's runs with the rights of whoever sets it off. The superuser looks at catalogs and statistics only.
    Raises Failure where the submission shuts these sessions out; what else Postgres says is the caller's.
    """

    def __init__(self, server: PostgresServer, database: str, steps: Transcript) -> None:
        self.database = database
        self.steps = steps
        self._server = server
        self._sessions: dict[tuple[str, ...], psycopg.Connection[Any]] = {}
        self._patience = QUIET_WITHIN

    def rows(self, sql: LiteralString, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of one statement on the service's tables, each named with its schema: `public.invoices`.

        No function or operator but Postgres' own is found, so none of the submission's can stand in for one.
        """
        return self._rows(self._session(self._server.importer, self.database), sql, parameters)

    def write(self, sql: LiteralString, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a statement as another program would, the nightly import say; the rows that it returns."""
        session = self._session(self._server.importer, self.database, PUBLIC)
        session.prepare_threshold = None
        try:
            with session.transaction():
                rows = self._rows(session, sql, parameters)
            session.execute(AS_NEW)
        except BaseException:
            session.close()
            raise
        return rows

    def row(self, sql: LiteralString, parameters: Sequence[object] = ()) -> tuple[Any, ...]:
        """The first row. The grader asks only where there is one."""
        return self.rows(sql, parameters)[0]

    def value(self, sql: LiteralString, parameters: Sequence[object] = ()) -> Any:
        """The first column of the first row."""
        return self.row(sql, parameters)[0]

    def catalog(self, sql: LiteralString, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a superuser's statement that runs nothing of the submission's."""
        return self._rows(self._session(self._server.grader, self.database), sql, parameters)

    def alter(self, statement: sql.SQL | sql.Composed) -> None:
        """Run a superuser's statement that changes the schema. Whoever calls it takes the change back."""
        self._session(self._server.grader, self.database).execute(statement)

    def server_setting(self, name: str) -> str:
        """A setting as the server has it, whatever is stored for this database or its roles."""
        return str(self._statistics("SELECT current_setting(%s)", [name])[0][0])

    def log_written(self) -> int:
        """Bytes of write-ahead log that the statements of other programs (`write`, `session`) have written so far.

        Of theirs alone: what the service writes meanwhile changes nothing.
        """
        return int(self._statistics(IMPORT_LOG)[0][0])

    def session(self) -> psycopg.Connection[Any]:
        """A session of another program's, not in autocommit, for what needs transactions; the caller closes it."""
        return self._connect(self._server.importer, self.database, PUBLIC, autocommit=False)

    @contextmanager
    def observe(self) -> Iterator[Observation]:
        """Count what the service's statements cost inside the block, and collect their plans."""
        seen = Observation()
        running = self.await_quiet()
        start = self.log_position()
        before = self._counted()
        yield seen
        running += self.await_quiet()
        counted = self._counted() - before
        entries, flooded = self._log_since(start)
        seen.plans = server_log.plans(entries)
        seen.cost = counted.cost(seen.plans)
        seen.endless = running
        seen.uncounted = (*running, *flooded, *counted.faults(seen.plans), *server_log.uncounted(entries))

    def buffers_so_far(self) -> int:
        """Buffers that the service's statements have taken so far, in planning and in execution."""
        return self._counted().buffers

    def _counted(self) -> Counted:
        return Counted(*self._statistics(COST)[0])

    def await_quiet(self) -> tuple[str, ...]:
        """Wait until no statement of the service's is under way: one is counted when it has ended.

        A service may answer before its transaction ends. What still runs after QUIET_WITHIN is returned, a line each.
        """
        deadline = time.monotonic() + self._patience
        while (busy := self._statistics(BUSY)) and time.monotonic() < deadline:
            time.sleep(0.002)
        # Whoever never rests is not waited for each time anew.
        self._patience = IMPATIENT if busy else QUIET_WITHIN
        return tuple(
            f"still running long after the answer:\n    {server_log.one_line(query)}" for (query,) in busy
        )

    def log_position(self) -> int:
        """Where the server's log ends, with everything in it that happened before this call."""
        session = self._session(self._server.grader, STATISTICS)
        return log_file.position(
            self._server.log, lambda text: session.execute(f"DO $$ BEGIN RAISE LOG '{text}'; END $$")
        )

    def _log_since(self, position: int) -> tuple[list[server_log.Entry], tuple[str, ...]]:
        """The service's entries after `position` in the log; where there is too much to read, none and a line on that."""
        end = self.log_position()
        if end - position > LOG_CAP:
            return [], (f"wrote {(end - position) // 1024**2} MB into the server's log",)
        return server_log.entries(log_file.between(self._server.log, position, end)), ()

    def close(self) -> None:
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def _statistics(self, sql: LiteralString, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """A superuser's look at what the whole server counts, from a database that no submission can change."""
        return _rows(self._session(self._server.grader, STATISTICS), sql, parameters)

    def _rows(
        self, session: psycopg.Connection[Any], sql: LiteralString, parameters: Sequence[object]
    ) -> list[tuple[Any, ...]]:
        """The rows of a statement in the service's database. Raises Failure where it waits for the service's lock."""
        try:
            return _rows(session, sql, parameters)
        except LockNotAvailable as error:
            holders = _rows(self._session(self._server.grader, STATISTICS), HOLDERS, ())
            raise refusals.locked(holders, str(error)) from error

    def _session(
        self, login: Login, database: str, settings: Mapping[str, str] = MappingProxyType({})
    ) -> psycopg.Connection[Any]:
        key = (login.user, database, *settings.values())
        session = self._sessions.get(key)
        if session and session.info.transaction_status != TransactionStatus.IDLE:
            session.close()  # a check that used up its time was stopped in the middle of a statement
        if session is None or session.closed:
            unseen = UNSEEN if login is self._server.grader else {}
            session = self._sessions[key] = self._connect(login, database, {**unseen, **settings})
        return session

    def _connect(
        self, login: Login, database: str, settings: Mapping[str, str], *, autocommit: bool = True
    ) -> psycopg.Connection[Any]:
        try:
            return connect(
                self._server.port,
                login,
                database,
                {"statement_timeout": "60s", "lock_timeout": LOCK_WITHIN, **settings},
                autocommit=autocommit,
            )
        except psycopg.OperationalError as error:
            if database == STATISTICS or "FATAL" not in str(error):
                raise CannotJudge("Postgres does not answer.", "Grade again.") from error
            self._statistics("SELECT")  # raises CannotJudge where the server itself is down
            raise refusals.shut_out(str(error)) from error


def _rows(
    session: psycopg.Connection[Any], sql: LiteralString, parameters: Sequence[object]
) -> list[tuple[Any, ...]]:
    cursor = session.execute(sql, parameters)
    return cursor.fetchall() if cursor.description else []
