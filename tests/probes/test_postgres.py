"""Counting what a service asked of the database, exactly and at once."""

import signal
from collections.abc import Callable
from typing import LiteralString

import psycopg
import pytest

from compose.stores import PostgresServer
from graders.probes.postgres import Postgres, psql
from graders.probes.transcript import Transcript
from tests.probes.conftest import Session

NEWEST = "SELECT * FROM invoices WHERE customer_id = 7 ORDER BY created_at DESC LIMIT 5"


def test_a_statement_is_counted_with_its_buffers_and_its_plan(postgres: Postgres, service: Session) -> None:
    with postgres.observe() as seen:
        service.execute(NEWEST)
    assert seen.cost.statements == 1
    assert 0 < seen.buffers < 20
    assert (seen.rows_read, len(seen.plans)) == (5, 1)
    assert seen.plans[0].indexes() == {"by_customer"}


def test_counts_are_the_same_every_time(postgres: Postgres, service: Session) -> None:
    service.execute(NEWEST)
    counted = set()
    for _ in range(20):
        with postgres.observe() as seen:
            service.execute(NEWEST)
        counted.add((seen.cost, seen.rows_read))
    assert len(counted) == 1


def test_the_superusers_looks_leave_no_trace(postgres: Postgres) -> None:
    with postgres.observe() as seen:
        postgres.catalog("SELECT count(*) FROM public.invoices")
    assert (seen.cost.statements, seen.plans) == (0, ())


def test_the_services_tables_are_touched_with_the_services_rights(postgres: Postgres) -> None:
    rights = "SELECT rolsuper, pg_has_role(current_user, 'billing_app', 'USAGE') FROM pg_roles WHERE rolname = current_user"
    assert postgres.row(rights) == (False, True)
    session = postgres.session()
    assert session.execute(rights).fetchone() == (False, True)
    session.close()


def test_a_superuser_finds_nothing_of_the_submissions_by_name(
    server: PostgresServer, postgres: Postgres, owner: Callable[[str], None]
) -> None:
    owner("CREATE SCHEMA trap")
    owner("CREATE FUNCTION trap.version() RETURNS text LANGUAGE sql RETURN 'mine'")
    owner("ALTER DATABASE billing SET search_path = trap, pg_catalog")
    fresh = Postgres(server, "billing", Transcript())
    assert fresh.catalog("SELECT version() = 'mine'") == [(False,)]
    fresh.close()
    owner("ALTER DATABASE billing RESET search_path")
    owner("DROP SCHEMA trap CASCADE")


def test_what_came_before_and_after_is_not_counted(postgres: Postgres, service: Session) -> None:
    service.execute(NEWEST)
    with postgres.observe() as seen:
        pass
    service.execute(NEWEST)
    assert (seen.cost.statements, seen.plans) == (0, ())


def test_a_transaction_is_waited_for(postgres: Postgres, service: Session) -> None:
    with postgres.observe() as seen, service.transaction():
        service.execute(NEWEST)
        service.execute("UPDATE invoices SET paid_cents = 1 WHERE id = 8")
    assert len(seen.about("invoices")) == 2


def test_a_cursor_is_counted_when_it_is_closed(postgres: Postgres, service: Session) -> None:
    with postgres.observe() as seen, service.transaction(), service.cursor("named") as cursor:
        cursor.execute(NEWEST)
        cursor.fetchall()
    assert seen.rows_read >= 5


def test_a_plan_that_was_only_said_is_no_plan(postgres: Postgres, service: Session) -> None:
    forged = 'duration: 1 ms  plan:\n{"Query Text": "x", "Plan": {"Node Type": "Index Scan"}}'
    with postgres.observe() as seen:
        service.execute(f"DO $$ BEGIN RAISE LOG '%', '{forged}'; END $$".encode())
    assert seen.plans == ()


def test_settings_of_a_session_are_in_its_plans(postgres: Postgres, service: Session) -> None:
    service.execute("SET enable_seqscan = off")
    with postgres.observe() as seen:
        service.execute(NEWEST)
    assert seen.plans[0].settings["enable_seqscan"] == "off"
    assert postgres.server_setting("enable_seqscan") == "on"


def test_a_session_of_ones_own_is_a_transaction(postgres: Postgres) -> None:
    session = postgres.session()
    session.execute("UPDATE invoices SET paid_cents = 5 WHERE id = 9")
    session.rollback()
    session.close()
    assert postgres.value("SELECT paid_cents FROM public.invoices WHERE id = %s", [9]) == 0


def test_a_look_that_was_stopped_half_way_does_not_spoil_the_next(postgres: Postgres) -> None:
    """The deadline of a check may come in the middle of a statement."""

    def stop(number: int, frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(TimeoutError):
            postgres.catalog("SELECT pg_sleep(30)")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert postgres.catalog("SELECT 1") == [(1,)]


def test_errors_of_sql_are_the_callers(postgres: Postgres) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        postgres.rows("SELECT * FROM public.nothing_of_that_name")


def test_lines_for_psql_can_be_pasted() -> None:
    assert psql("SELECT 'a'").endswith("""billing -c "SELECT 'a'\"""")
    assert psql(r"\d invoices").endswith(r"""-c '\d invoices'""")


def test_what_a_trigger_leaves_in_the_session_is_gone_with_its_statement(
    postgres: Postgres, owner: Callable[[str], None]
) -> None:
    owner("""CREATE FUNCTION public.meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        SET statement_timeout = '7h'; PERFORM pg_advisory_lock(7); RETURN NULL;
    END $$""")
    owner(
        "CREATE TRIGGER meddle AFTER UPDATE ON public.invoices FOR STATEMENT EXECUTE FUNCTION public.meddle()"
    )
    postgres.write("UPDATE public.invoices SET id = id WHERE false")
    owner("DROP FUNCTION public.meddle CASCADE")
    left: LiteralString = """
        SELECT current_setting('statement_timeout'),
               (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')
    """
    assert postgres.write(left) == [("1min", 0)]


def test_a_refused_write_leaves_nothing_and_the_next_one_goes_through(postgres: Postgres) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        postgres.write("UPDATE public.invoices SET id = 1 / 0 RETURNING id")
    assert postgres.write("SELECT 1") == [(1,)]
