"""Postgres as its operator sees it: rows by SQL, and what the service's statements cost while something happened."""

import json
import re
import shlex
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg

from compose.stores import Login, PostgresServer
from graders.check import CannotJudge
from graders.probes.observation import Cost, Observation
from graders.probes.plans import Plan
from graders.probes.transcript import Transcript

STATISTICS = "octo_grader"
QUIET_WITHIN = 5.0
LOG_WITHIN = 30.0

# The superuser's sessions leave no trace in what is counted, and find no function or table but Postgres' own.
UNSEEN = (
    "-c auto_explain.log_min_duration=-1 -c pg_stat_statements.track=none -c search_path=pg_catalog,pg_temp"
)

COST: LiteralString = """
    SELECT coalesce(sum(calls), 0)::bigint,
           coalesce(sum(shared_blks_hit + shared_blks_read + temp_blks_read + temp_blks_written), 0)::bigint
    FROM public.pg_stat_statements(false) AS statement
    JOIN pg_database ON pg_database.oid = statement.dbid
    JOIN pg_roles ON pg_roles.oid = statement.userid
    WHERE toplevel AND datname = %s AND rolname LIKE 'billing%%'
"""

# A session that sits in a transaction for a whole second has forgotten it, and is not waited for.
BUSY: LiteralString = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = %s AND usename LIKE 'billing%%' AND state <> 'idle'
      AND (state = 'active' OR state_change > clock_timestamp() - interval '1 second')
"""


def psql(statement: str, database: str = "billing", login: str = "billing_app") -> str:
    """The line a learner can paste while `octo_lab run` is up."""
    quoted = f'"{statement}"' if not re.search(r'["$`\\!]', statement) else shlex.quote(statement)
    return f"psql postgresql://{login}:octo_lab@127.0.0.1:54320/{database} -c {quoted}"


class Postgres:
    """One database of the running server, seen through sessions of the grader's own.

    Whatever touches the service's tables goes through the service's role: a trigger or a view of the submission's
    runs with the rights of whoever sets it off. The superuser looks at catalogs and statistics only.
    """

    def __init__(self, server: PostgresServer, database: str, steps: Transcript) -> None:
        self.database = database
        self.steps = steps
        self._server = server
        self._sessions: dict[tuple[str, str], psycopg.Connection[Any]] = {}

    def rows(self, sql: LiteralString, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of one statement on the service's tables; an empty list where it returns none."""
        return _rows(self._session(self._server.app, self.database), sql, parameters)

    def row(self, sql: LiteralString, parameters: Sequence[object] = ()) -> tuple[Any, ...]:
        """The first row. The grader asks only where there is one."""
        return self.rows(sql, parameters)[0]

    def value(self, sql: LiteralString, parameters: Sequence[object] = ()) -> Any:
        """The first column of the first row."""
        return self.row(sql, parameters)[0]

    def catalog(self, sql: LiteralString, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a superuser's statement that runs nothing of the submission's."""
        return _rows(self._session(self._server.grader, self.database), sql, parameters)

    def server_setting(self, name: str) -> str:
        """A setting as the server has it, whatever is stored for this database or its roles."""
        return str(self._statistics("SELECT current_setting(%s)", [name])[0][0])

    def log_written(self) -> int:
        """Bytes of write-ahead log since the server was made."""
        return int(self._statistics("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")[0][0])

    def session(self) -> psycopg.Connection[Any]:
        """A session of the service's role, not in autocommit, for what needs transactions; the caller closes it."""
        return self._connect(self._server.app, self.database, autocommit=False)

    @contextmanager
    def observe(self) -> Iterator[Observation]:
        """Count what the service's statements cost inside the block, and collect their plans.

        The caller asks the service there and nothing else: `rows` would be counted as the service's own.
        """
        seen = Observation()
        self.await_quiet()
        start = self.log_position()
        before = self.cost()
        yield seen
        self.await_quiet()
        after = self.cost()
        seen.cost = Cost(after.statements - before.statements, after.buffers - before.buffers)
        seen.plans = self.plans_since(start)

    def cost(self) -> Cost:
        """What the service's statements on this database have taken so far."""
        return Cost(*self._statistics(COST, [self.database])[0])

    def await_quiet(self) -> None:
        """Wait until no statement of the service's is under way: one is counted when it has ended.

        A service may answer before its transaction ends.
        """
        deadline = time.monotonic() + QUIET_WITHIN
        while self._statistics(BUSY, [self.database]) != [(0,)] and time.monotonic() < deadline:
            time.sleep(0.002)

    def log_position(self) -> int:
        """Where the server's log ends, with everything in it that happened before this call."""
        marker = f"octo {uuid.uuid4().hex}"
        search_from = max(0, self._server.log.stat().st_size - len(marker))
        self._session(self._server.grader, STATISTICS).execute(f"DO $$ BEGIN RAISE LOG '{marker}'; END $$")
        deadline = time.monotonic() + LOG_WITHIN
        while time.monotonic() < deadline:
            with self._server.log.open("rb") as log:
                log.seek(search_from)
                text = log.read()
            found = text.find(marker.encode())
            if found >= 0 and (end := text.find(b"\n", found)) >= 0:
                return search_from + end + 1
            time.sleep(0.001)
        raise CannotJudge(
            "The server's log stays behind.", "Grade again; if it stays so, run `octo_lab doctor`."
        )

    def plans_since(self, position: int) -> tuple[Plan, ...]:
        """The plans of the service's statements that ended after `position` in the log."""
        end = self.log_position()
        with self._server.log.open("rb") as log:
            log.seek(position)
            lines = log.read(end - position).splitlines()
        entries = (json.loads(line) for line in lines if b"  plan:\\n" in line)
        ours = (entry for entry in entries if entry.get("dbname") == self.database)
        return tuple(plan for entry in ours if (plan := _plan(entry)))

    def close(self) -> None:
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def _statistics(self, sql: LiteralString, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """A superuser's look at what the whole server counts, from a database that no submission can change."""
        return _rows(self._session(self._server.grader, STATISTICS), sql, parameters)

    def _session(self, login: Login, database: str) -> psycopg.Connection[Any]:
        key = (login.user, database)
        session = self._sessions.get(key)
        if session is None or session.closed:
            session = self._sessions[key] = self._connect(login, database, autocommit=True)
        return session

    def _connect(self, login: Login, database: str, *, autocommit: bool) -> psycopg.Connection[Any]:
        options = UNSEEN if login is self._server.grader else "-c search_path=public"
        return psycopg.connect(
            host=self._server.host,
            port=self._server.port,
            user=login.user,
            password=login.password,
            dbname=database,
            autocommit=autocommit,
            connect_timeout=10,
            options=f"{options} -c statement_timeout=60s -c timezone=UTC",
        )


def _rows(
    session: psycopg.Connection[Any], sql: LiteralString, parameters: Sequence[object]
) -> list[tuple[Any, ...]]:
    cursor = session.execute(sql, parameters)
    return cursor.fetchall() if cursor.description else []


def _plan(entry: Mapping[str, Any]) -> Plan | None:
    """The plan in a log entry of the service's; None for what is none, or what a RAISE made look like one."""
    user, context = str(entry.get("user", "")), str(entry.get("context", ""))
    if not user.startswith("billing") or context.partition("\n")[0].endswith("at RAISE"):
        return None
    return Plan.of(user, json.loads(entry["message"].partition("plan:\n")[2]))
