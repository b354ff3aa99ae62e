"""Postgres as its operator sees it: rows by SQL, and what the service's statements cost while something happened."""

import json
import re
import shlex
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg

from compose.stores import PostgresServer
from graders.check import CannotJudge
from graders.probes.plans import Plan
from graders.probes.transcript import Transcript

STATISTICS = "octo_grader"
QUIET_WITHIN = 5.0
LOG_WITHIN = 30.0

# The grader's own sessions leave no trace in what it counts.
SILENT = "-c auto_explain.log_min_duration=-1 -c pg_stat_statements.track=none"

COST = """
    SELECT coalesce(sum(calls), 0)::bigint,
           coalesce(sum(shared_blks_hit + shared_blks_read + temp_blks_read + temp_blks_written), 0)::bigint
    FROM pg_stat_statements(false) AS statement
    JOIN pg_database ON pg_database.oid = statement.dbid
    JOIN pg_roles ON pg_roles.oid = statement.userid
    WHERE toplevel AND datname = %s AND rolname LIKE 'billing%%'
"""

# A session that sits in a transaction for a whole second has forgotten it, and is not waited for.
BUSY = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = %s AND usename LIKE 'billing%%' AND state <> 'idle'
      AND (state = 'active' OR state_change > clock_timestamp() - interval '1 second')
"""


def psql(statement: str, database: str = "billing", login: str = "billing_app") -> str:
    """The line a learner can paste while `octo_lab run` is up."""
    quoted = f'"{statement}"' if not re.search(r'["$`\\!]', statement) else shlex.quote(statement)
    return f"psql postgresql://{login}:octo_lab@127.0.0.1:54320/{database} -c {quoted}"


@dataclass(frozen=True)
class Cost:
    """What the service's top-level statements took: how many, and buffers (of 8 kB) hit, read or spilled."""

    statements: int
    buffers: int


class Observation:
    """What the service asked of the database while it was watched; complete once the `with` block has ended."""

    cost: Cost = Cost(0, 0)
    plans: tuple[Plan, ...] = ()

    @property
    def buffers(self) -> int:
        return self.cost.buffers

    @property
    def rows_read(self) -> int:
        return sum(plan.rows_read() for plan in self.plans)

    def about(self, table: str) -> tuple[Plan, ...]:
        """The plans that touch `table`."""
        return tuple(plan for plan in self.plans if table in plan.tables())

    def costliest(self) -> Plan | None:
        """The plan that read most."""
        return max(self.plans, key=lambda plan: (plan.rows_read(), plan.buffers()), default=None)


class Postgres:
    """One database of the running server, seen through the grader's own sessions."""

    def __init__(self, server: PostgresServer, database: str, steps: Transcript) -> None:
        self.database = database
        self.steps = steps
        self._server = server
        self._sessions: dict[str, psycopg.Connection[Any]] = {}

    def rows(self, sql: LiteralString, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of one statement; an empty list where it returns none."""
        cursor = self._session(self.database).execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []

    def row(self, sql: LiteralString, parameters: Sequence[object] = ()) -> tuple[Any, ...]:
        """The first row. The grader asks only where there is one."""
        return self.rows(sql, parameters)[0]

    def value(self, sql: LiteralString, parameters: Sequence[object] = ()) -> Any:
        """The first column of the first row."""
        return self.row(sql, parameters)[0]

    def server_setting(self, name: str) -> str:
        """A setting as the server has it, whatever is stored for this database or its roles."""
        row = self._session(STATISTICS).execute("SELECT current_setting(%s)", [name]).fetchone()
        assert row is not None, "a function call always has a row"
        return str(row[0])

    def session(self) -> psycopg.Connection[Any]:
        """A session of the caller's own, not in autocommit, for what needs transactions; the caller closes it."""
        return self._connect(self.database, autocommit=False)

    @contextmanager
    def observe(self) -> Iterator[Observation]:
        """Count what the service's statements cost inside the block, and collect their plans."""
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
        row = self._session(STATISTICS).execute(COST, [self.database]).fetchone()
        assert row is not None, "an aggregate always has a row"
        return Cost(*row)

    def await_quiet(self) -> None:
        """Wait until no statement of the service's is under way: one is counted when it has ended.

        A service may answer before its transaction ends.
        """
        deadline = time.monotonic() + QUIET_WITHIN
        while time.monotonic() < deadline:
            busy = self._session(STATISTICS).execute(BUSY, [self.database]).fetchone()
            if busy == (0,):
                return
            time.sleep(0.002)

    def log_position(self) -> int:
        """Where the server's log ends, with everything in it that happened before this call."""
        marker = f"octo {uuid.uuid4().hex}"
        search_from = max(0, self._server.log.stat().st_size - len(marker))
        self._session(STATISTICS).execute(f"DO $$ BEGIN RAISE LOG '{marker}'; END $$")
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

    def _session(self, database: str) -> psycopg.Connection[Any]:
        session = self._sessions.get(database)
        if session is None or session.closed:
            session = self._sessions[database] = self._connect(database, autocommit=True)
        return session

    def _connect(self, database: str, *, autocommit: bool) -> psycopg.Connection[Any]:
        login = self._server.grader
        return psycopg.connect(
            host=self._server.host,
            port=self._server.port,
            user=login.user,
            password=login.password,
            dbname=database,
            autocommit=autocommit,
            connect_timeout=10,
            options=SILENT + " -c statement_timeout=60s -c timezone=UTC",
        )


def _plan(entry: Mapping[str, Any]) -> Plan | None:
    """The plan in a log entry of the service's; None for what is none, or what a RAISE made look like one."""
    user, context = str(entry.get("user", "")), str(entry.get("context", ""))
    if not user.startswith("billing") or context.partition("\n")[0].endswith("at RAISE"):
        return None
    return Plan.of(user, json.loads(entry["message"].partition("plan:\n")[2]))
