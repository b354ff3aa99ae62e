"""Work that a service would like to keep out of the counts, and tables that would like to say something else to others."""

import os
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import psycopg
import pytest

from compose.stores import PostgresServer
from graders.check import CannotJudge, Failure
from graders.probes import postgres as probe
from graders.probes.ddl_watch import watched
from graders.probes.observation import Observation
from graders.probes.postgres import Postgres
from graders.probes.transcript import Transcript
from tests.probes.conftest import Session

EVERYTHING = "SELECT * FROM invoices ORDER BY status, paid_cents, id"
AS_AN_ERROR = f"SELECT (json_agg(each)::text)::int FROM ({EVERYTHING}) AS each"

Observed = Callable[[Callable[[], object]], Observation]
Owner = Callable[[str], None]


@pytest.fixture
def observed(postgres: Postgres) -> Observed:
    def observe(work: Callable[[], object]) -> Observation:
        with postgres.observe() as seen, suppress(psycopg.Error):
            work()
        return seen

    return observe


def sql(session: Session, *statements: str) -> Callable[[], None]:
    def run() -> None:
        for statement in statements:
            session.execute(statement.encode(), prepare=False)

    return run


def test_honest_reads_leave_nothing_uncounted(observed: Observed, service: Session) -> None:
    def reads() -> None:
        for n in range(12):
            service.execute("SELECT * FROM invoices WHERE id = %s FOR UPDATE", [n])
        with service.transaction():
            service.execute("SELECT count(*) FROM invoices")
        with service.pipeline():
            service.execute("SELECT 1 WHERE 1 = %s", [1])
            service.execute("SELECT 2 WHERE 1 = %s", [1])
        with service.transaction(), service.cursor("pages") as pages:
            pages.itersize = 7
            assert len(list(pages.execute("SELECT id FROM invoices LIMIT 30"))) == 30
        with suppress(psycopg.Rollback), service.transaction():
            service.execute("SELECT * FROM invoices WHERE id = %s", [1], prepare=True)
            raise psycopg.Rollback

    seen = observed(reads)
    assert seen.uncounted == ()
    assert seen.rows_read > 2000


def test_rows_sent_as_an_errors_text_are_noticed(observed: Observed, service: Session) -> None:
    seen = observed(sql(service, AS_AN_ERROR))
    assert (seen.cost.statements, seen.plans) == (0, ())
    (line,) = seen.uncounted
    assert line.startswith("ERROR: invalid input syntax for type integer")
    assert AS_AN_ERROR in line


def test_rows_raised_by_a_block_are_noticed(observed: Observed, service: Session) -> None:
    block = "DO $$ BEGIN RAISE '%', (SELECT string_agg(id::text, ',') FROM invoices); END $$"
    assert "ERROR: 1,2,3" in observed(sql(service, block)).uncounted[0]


def test_a_caught_error_is_counted(observed: Observed, service: Session) -> None:
    block = f"DO $$ BEGIN PERFORM ({AS_AN_ERROR}); EXCEPTION WHEN OTHERS THEN END $$"
    assert observed(sql(service, block)).buffers > 10


def test_a_caught_error_while_a_statement_is_planned_is_counted(
    observed: Observed, owner: Owner, service: Session
) -> None:
    """A function that says it is immutable runs when the statement is planned, before anything is executed."""
    owner(
        "CREATE FUNCTION leak() RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN"
        f" PERFORM ({AS_AN_ERROR}); EXCEPTION WHEN OTHERS THEN RETURN sqlerrm; END $$"
    )
    sql(service, "SELECT leak()")()
    seen = observed(sql(service, *["SELECT leak()"] * 200))
    owner("DROP FUNCTION leak()")
    (line,) = seen.uncounted
    assert re.fullmatch(r"read \d{4} buffers while statements were planned", line)


def test_a_cursor_that_is_never_closed_is_counted(observed: Observed, service: Session) -> None:
    seen = observed(
        sql(service, "BEGIN", f"DECLARE c CURSOR FOR {EVERYTHING}", "FETCH 20 FROM c", "ROLLBACK")
    )
    assert seen.buffers > 10


@pytest.mark.parametrize("ending", ["ROLLBACK", None])
def test_a_portal_that_never_ends_is_noticed(
    observed: Observed, service: Session, ending: str | None
) -> None:
    seen = observed(lambda: fetch_some(service, EVERYTHING, ending))
    assert seen.uncounted == (f"began, sent rows and never ended:\n    {EVERYTHING}",)


def test_a_portal_that_is_read_to_its_end_is_no_fault(observed: Observed, service: Session) -> None:
    seen = observed(lambda: fetch_some(service, EVERYTHING, "COMMIT"))
    assert (seen.uncounted, len(seen.plans)) == ((), 1)


def test_a_function_called_past_the_planner_is_noticed(observed: Observed, service: Session) -> None:
    (number,) = service.execute("SELECT 'pg_backend_pid'::regproc::oid::int").fetchone() or (0,)
    seen = observed(lambda: call_directly(service, int(str(number))))
    assert seen.uncounted == ("a function was called past the planner (fastpath)",)


def test_a_session_that_is_ended_in_the_middle_is_noticed(observed: Observed, server: PostgresServer) -> None:
    with psycopg.connect(server.url(server.app), autocommit=True) as doomed:
        seen = observed(sql(doomed, "SELECT pg_terminate_backend(pg_backend_pid()) FROM invoices"))
    assert seen.uncounted[0].startswith("FATAL: terminating connection")


def test_what_still_runs_is_noticed(
    observed: Observed,
    postgres: Postgres,
    server: PostgresServer,
    service: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres, "_patience", 0.5)
    started = threading.Event()

    def linger() -> None:
        with suppress(psycopg.Error), psycopg.connect(server.url(server.app)) as session:
            started.set()
            session.execute("SELECT pg_sleep(60)")

    thread = threading.Thread(target=linger)

    def work() -> None:
        thread.start()
        started.wait()
        while not postgres.await_quiet():
            pass

    seen = observed(work)
    (line,) = seen.endless
    assert line == "still running long after the answer:\n    SELECT pg_sleep(60)"
    assert line in seen.uncounted
    service.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")
    thread.join()


def test_work_in_another_database_is_counted(observed: Observed, server: PostgresServer) -> None:
    """The service may enter each of its databases, and could keep a second set of tables in one."""
    probe_elsewhere = Postgres(server, "another", Transcript())
    try:
        with psycopg.connect(server.url(server.app)) as session, probe_elsewhere.observe() as seen:
            session.execute("SELECT count(*) FROM invoices")
        assert (seen.rows_read, len(seen.plans)) == (2000, 1)
    finally:
        probe_elsewhere.close()


def test_forgetting_statements_is_noticed(observed: Observed, service: Session) -> None:
    def many() -> None:
        with service.pipeline():
            for n in range(10_500):
                service.execute(f"SET mine.number{n} = 1".encode())

    assert "so many different statements that the oldest were forgotten" in observed(many).uncounted


def test_a_flood_of_log_is_noticed_and_not_read(
    observed: Observed, service: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "LOG_CAP", 1024 * 1024)
    seen = observed(sql(service, "DO $$ BEGIN RAISE LOG '%', repeat(E'x\\n', 2000000); END $$"))
    assert seen.uncounted == ("wrote 5 MB into the server's log",)
    assert seen.plans == ()


FORGED = 'duration: 1 ms  plan:\n{"Query Text": "x", "Plan": {"Node Type": "Seq Scan", "Relation Name": "y", "Actual Rows": -9}}'


@pytest.mark.parametrize("name", ["plain", "two\nlines", 'q"u', "explain_ExecutorEnd"])
def test_a_plan_is_believed_by_who_wrote_it(
    observed: Observed, owner: Owner, service: Session, name: str
) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    owner(
        f"CREATE FUNCTION {quoted}() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE LOG '%', '{FORGED}'; END $$"
    )
    seen = observed(sql(service, f"SELECT {quoted}()"))
    owner(f"DROP FUNCTION {quoted}()")
    assert [plan.query for plan in seen.plans] == [f"SELECT {quoted}()"]


@pytest.fixture
def _restored(owner: Owner, server: PostgresServer) -> Iterator[None]:
    yield
    with psycopg.connect(server.url(server.grader, "octo_grader"), autocommit=True) as grader:
        grader.execute("ALTER DATABASE billing CONNECTION LIMIT -1")
        grader.execute("ALTER DATABASE billing RESET ALL")


def test_functions_of_the_submissions_stand_in_for_none(postgres: Postgres, owner: Owner) -> None:
    """With the argument types that the tables have, such a function would be the better match."""
    owner("CREATE FUNCTION public.concat_ws(text, bigint, text) RETURNS text LANGUAGE sql RETURN 'as it was'")
    owner("CREATE FUNCTION public.abs(bigint) RETURNS bigint LANGUAGE sql RETURN 0")
    asked = "SELECT concat_ws('|', id, status), abs(-id) FROM public.invoices WHERE id = %s"
    assert postgres.row(asked, [8]) == ("8|paid", 8)
    owner("DROP FUNCTION public.concat_ws(text, bigint, text), public.abs(bigint)")


@pytest.mark.usefixtures("_restored")
def test_stored_settings_do_not_bend_what_is_seen(server: PostgresServer, owner: Owner) -> None:
    for setting in (
        "role = billing_owner",
        "quote_all_identifiers = on",
        "default_transaction_read_only = on",
    ):
        owner(f"ALTER DATABASE billing SET {setting}")
    fresh = Postgres(server, "billing", Transcript())
    assert fresh.catalog("SELECT current_user::text, 'public.invoices'::regclass::text") == [
        ("octo_grader", "public.invoices")
    ]
    assert fresh.write("UPDATE invoices SET paid_cents = 0 WHERE id = 1 RETURNING id") == [(1,)]
    with watched(fresh) as statements:
        owner("ALTER TABLE invoices ALTER status SET STATISTICS 10")
    assert [one.about for one in statements] == ["public.invoices"]
    fresh.close()


def test_a_superusers_session_opens_no_view_of_anybodys(postgres: Postgres, owner: Owner) -> None:
    owner("CREATE VIEW mine AS SELECT current_user")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="access to non-system view"):
        postgres.catalog("SELECT * FROM public.mine")
    owner("DROP VIEW mine")


def test_a_table_that_is_renamed_meanwhile_is_still_that_table(postgres: Postgres, owner: Owner) -> None:
    with watched(postgres) as statements:
        owner(
            "ALTER TABLE invoices RENAME TO elsewhere; CREATE INDEX made ON elsewhere (status);"
            "ALTER TABLE elsewhere RENAME TO invoices"
        )
    owner("DROP INDEX made")
    built = next(one for one in statements if one.command == "CREATE INDEX")
    assert (built.about, "ShareLock" in built.held) == ("public.invoices", True)


def test_a_lock_that_is_never_given_back_is_the_submissions_fault(
    postgres: Postgres, service: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "LOCK_WITHIN", "100ms")
    with service.transaction():
        service.execute("LOCK TABLE invoices IN ACCESS EXCLUSIVE MODE")
        for look in (postgres.rows, postgres.catalog):
            with pytest.raises(Failure) as failed:
                look("SELECT count(*) FROM public.invoices")
            assert "LOCK TABLE invoices IN ACCESS EXCLUSIVE MODE" in failed.value.got


@pytest.mark.usefixtures("_restored")
def test_a_database_that_lets_nobody_in_is_the_submissions_fault(
    server: PostgresServer, owner: Owner
) -> None:
    owner("ALTER DATABASE billing CONNECTION LIMIT 0")
    fresh = Postgres(server, "billing", Transcript())
    with pytest.raises(Failure) as failed:
        fresh.rows("SELECT 1")
    assert "too many connections" in failed.value.got
    assert fresh.catalog("SELECT 1") == [(1,)]
    fresh.close()


def test_a_server_that_does_not_answer_is_nobodys_fault(server: PostgresServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    gone = Postgres(replace(server, port=port), "billing", Transcript())
    with pytest.raises(CannotJudge):
        gone.rows("SELECT 1")


def test_what_the_service_writes_is_not_in_the_log_of_others(postgres: Postgres, service: Session) -> None:
    before = postgres.log_written()
    service.execute("SELECT pg_logical_emit_message(false, 'noise', repeat('x', 100000))")
    assert postgres.log_written() == before
    postgres.write("UPDATE invoices SET paid_cents = 0 WHERE id <= 20")
    assert 1000 < postgres.log_written() - before < 50_000


# --- the protocol by hand: what drivers do for cursors, and fastpath (PostgreSQL manual, 54.7) -------------------


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def fetch_some(session: Session, statement: str, ending: str | None) -> None:
    """Twenty rows of a portal that has more; with COMMIT as the ending, all the others as well."""
    portal = b"p"
    parse = message(b"P", b"\0" + statement.encode() + b"\0" + struct.pack("!h", 0))
    bind = message(b"B", portal + b"\0\0" + struct.pack("!hhh", 0, 0, 0))
    some, others = (message(b"E", portal + b"\0" + struct.pack("!i", rows)) for rows in (20, 0))
    flush = message(b"H", b"")
    with wire(session) as exchange:
        exchange(message(b"Q", b"BEGIN\0"), b"Z")
        exchange(parse + bind + some + flush, b"s")
        if ending == "COMMIT":
            exchange(others + flush, b"C")
        exchange(message(b"S", b""), b"Z")
        if ending:
            exchange(message(b"Q", ending.encode() + b"\0"), b"Z")


def call_directly(session: Session, function: int) -> None:
    with wire(session) as exchange:
        exchange(message(b"F", struct.pack("!ihhh", function, 0, 0, 0)), b"Z")


@contextmanager
def wire(session: Session) -> Iterator[Callable[[bytes, bytes], None]]:
    """Sends messages on a session's own connection and reads until a message of the wanted kind is the last."""
    with socket.socket(fileno=os.dup(session.pgconn.socket)) as connection:
        connection.setblocking(True)

        def exchange(sent: bytes, until: bytes) -> None:
            connection.sendall(sent)
            heard = b""
            while last_kind(heard) != until:
                heard += connection.recv(65536)

        yield exchange


def last_kind(heard: bytes) -> bytes:
    """The kind of the last message where it is whole, else nothing."""
    at, kind = 0, b""
    while at + 5 <= len(heard):
        kind = heard[at : at + 1]
        at += 1 + struct.unpack("!i", heard[at + 1 : at + 5])[0]
    return kind if at == len(heard) else b""
