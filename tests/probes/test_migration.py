"""Releases rehearsed on a table in use: those that let others write, and those that do not."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from compose.stores import PostgresServer
from graders.probes.migration import Rehearsal, one_line, rehearse, spoken
from graders.probes.postgres import Postgres

RELEASE = """
import sys, psycopg
url, *statements = sys.argv[1:]
with psycopg.connect(url, autocommit=True) as session:
    for statement in statements:
        session.execute(statement.encode())
"""


class Run:
    """A release process of the test's own."""

    def __init__(self, url: str, statements: tuple[str, ...]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", RELEASE, url, *statements],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def poll(self) -> int | None:
        return self.process.poll()

    def wait(self, seconds: float) -> int:
        return self.process.wait(seconds)

    def output(self) -> str:
        assert self.process.stdout
        with self.process.stdout as stream:
            return stream.read().decode()


class Service:
    def __init__(self, server: PostgresServer, *statements: str) -> None:
        self.server, self.statements = server, statements

    def release(self, database: str) -> Run:
        return Run(self.server.url(self.server.owner, database), self.statements)

    def web(self, database: str, instance: int = 1) -> str:
        raise NotImplementedError


Rehearse = Callable[..., Rehearsal]


@pytest.fixture
def rehearsal(server: PostgresServer, postgres: Postgres, owner: Callable[[str], None]) -> Rehearse:
    return lambda *statements: rehearse(postgres, Service(server, *statements), seconds=40)


@pytest.fixture(autouse=True)
def _clean(owner: Callable[[str], None]) -> object:
    yield
    owner("DROP INDEX IF EXISTS made, made_too")
    owner("DROP TRIGGER IF EXISTS made ON invoices")
    owner("ALTER TABLE invoices DROP COLUMN IF EXISTS made")


def test_concurrent_builds_let_others_write(rehearsal: Rehearse) -> None:
    done = rehearsal(
        "DROP INDEX CONCURRENTLY IF EXISTS made",
        "CREATE INDEX CONCURRENTLY made ON invoices (status)",
        "CREATE UNIQUE INDEX CONCURRENTLY made_too ON invoices (customer_id, id)",
        "ANALYZE invoices",
    )
    assert (done.exit_code, done.shut_out) == (0, None)
    assert done.writers > 4


def test_a_plain_build_shuts_others_out(rehearsal: Rehearse) -> None:
    done = rehearsal("CREATE INDEX made ON invoices (status)  -- quick")
    assert done.exit_code == 0
    assert done.shut_out
    assert done.shut_out.statement == "CREATE INDEX made ON invoices (status)"
    assert "(SHARE)" in done.shut_out.lock


def test_a_plain_build_that_steps_aside_still_shuts_others_out(rehearsal: Rehearse) -> None:
    done = rehearsal(retried("CREATE INDEX made ON invoices (status)", "200ms"))
    assert done.exit_code == 0
    assert done.shut_out
    assert (done.shut_out.statement, "SHARE" in done.shut_out.lock) == ("CREATE INDEX", True)


def test_a_rewrite_shuts_others_out(rehearsal: Rehearse) -> None:
    rewrite = "ALTER TABLE invoices ADD COLUMN made text GENERATED ALWAYS AS (lower(status)) STORED"
    done = rehearsal(retried(rewrite, "200ms"))
    assert done.shut_out
    assert done.shut_out.statement == "table rewrite"


def test_a_quick_change_that_steps_aside_is_fine(rehearsal: Rehearse) -> None:
    done = rehearsal(retried("ALTER TABLE invoices ADD COLUMN made text", "200ms"))
    assert (done.exit_code, done.shut_out) == (0, None)


def test_a_quick_change_that_waits_in_line_is_not(
    rehearsal: Rehearse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graders.probes.migration.PATIENCE", 1.0)
    done = rehearsal("ALTER TABLE invoices ADD COLUMN made text")
    assert done.shut_out
    assert "ACCESS EXCLUSIVE" in done.shut_out.lock


def test_a_change_of_all_rows_at_once_is_not(rehearsal: Rehearse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graders.probes.migration.PATIENCE", 1.0)
    done = rehearsal("UPDATE invoices SET paid_cents = paid_cents")
    assert done.shut_out
    assert "rows" in done.shut_out.lock


def test_batches_are_fine(rehearsal: Rehearse) -> None:
    batches = [
        f"UPDATE invoices SET status = status WHERE id BETWEEN {n} AND {n + 199}" for n in range(1, 2000, 200)
    ]
    done = rehearsal(*batches)
    assert (done.exit_code, done.shut_out) == (0, None)


def test_a_release_that_fails_says_so(rehearsal: Rehearse) -> None:
    done = rehearsal("SELECT 1 / 0")
    assert done.exit_code == 1
    assert "division by zero" in done.output


def test_nothing_of_the_rehearsal_stays(rehearsal: Rehearse, postgres: Postgres) -> None:
    rehearsal("SELECT 1")
    assert postgres.rows("SELECT evtname FROM pg_event_trigger") == []
    assert postgres.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'octo%%'") == []


def test_words() -> None:
    assert spoken("ShareRowExclusiveLock") == "SHARE ROW EXCLUSIVE"
    assert one_line("-- why\nCREATE INDEX\n  made  -- this\nON t") == "CREATE INDEX made ON t"


def retried(statement: str, patience: str) -> str:
    return f"""
        SET lock_timeout = '{patience}';
        DO $do$ BEGIN
            FOR attempt IN 1..50 LOOP
                BEGIN
                    EXECUTE $$ {statement} $$;
                    RETURN;
                EXCEPTION WHEN lock_not_available THEN PERFORM pg_sleep(0.2);
                END;
            END LOOP;
            RAISE 'gave up';
        END $do$
    """
