"""One read or one commit waits at the instant that was chosen, all others pass, and nothing stays behind."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from graders.probes.interventions import HeldUp, commit_held_up, commit_refused, read_held_up
from graders.probes.postgres import Postgres
from tests.probes.conftest import Session
from tests.reference_service.running import eventually

READ = "SELECT coalesce(sum(paid_cents), 0) FROM public.invoices WHERE customer_id = 3"
PAY = "UPDATE public.invoices SET paid_cents = paid_cents + 1 WHERE id = 13"
TRACES = """
    SELECT count(*) FROM pg_class LEFT JOIN pg_policy ON polrelid = pg_class.oid LEFT JOIN pg_trigger ON tgrelid = pg_class.oid
    WHERE pg_class.oid = 'public.invoices'::regclass
      AND (relrowsecurity OR polname IS NOT NULL OR tgname = 'octo_held')
"""


def _sum(session: Session) -> int:
    row = session.execute(READ).fetchone()
    assert row
    return int(str(row[0]))


def _somebody(held: HeldUp) -> None:
    eventually(held.somebody, "somebody is held up")


@pytest.fixture
def other(server: object, service: Session) -> Callable[[], Session]:
    return lambda: psycopg.connect(service.info.dsn, password=service.info.password, autocommit=True)


def test_a_read_is_held_up_in_the_middle_and_sees_what_was(
    postgres: Postgres, service: Session, other: Callable[[], Session]
) -> None:
    before = _sum(service)
    with ThreadPoolExecutor(1) as threads, read_held_up(postgres, "3") as held, other() as writer:
        reader = threads.submit(_sum, service)
        _somebody(held)
        writer.execute(PAY)
        assert _sum(writer) == before + 1
        held.let_go()
        assert reader.result(20) == before
    assert _sum(service) == before + 1
    assert postgres.catalog(TRACES) == [(0,)]


def test_a_commit_is_held_up_and_seen_by_nobody(
    postgres: Postgres, service: Session, other: Callable[[], Session]
) -> None:
    before = _sum(service)
    with ThreadPoolExecutor(1) as threads, commit_held_up(postgres, "13") as held, other() as reader:
        writer = threads.submit(service.execute, PAY)
        _somebody(held)
        assert _sum(reader) == before
        held.let_go()
        writer.result(20)
        assert _sum(reader) == before + 1
    assert postgres.catalog(TRACES) == [(0,)]


def test_a_commit_is_refused(postgres: Postgres, service: Session) -> None:
    before = _sum(service)
    with commit_refused(postgres, "13"), pytest.raises(psycopg.errors.RaiseException):
        service.execute(PAY)
    assert _sum(service) == before
    service.execute(PAY)
    assert postgres.catalog(TRACES) == [(0,)]
