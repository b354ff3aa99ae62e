"""Alive and ready are told apart, and quickly, also when Postgres is gone or frozen."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from compose.postgres import GRADER_DATABASE
from tests.reference_service.calling import ok, problem
from tests.reference_service.running import Database, Web, eventually, started, web_env

CUSTOMER = {"name": "Ada", "email": "ada@example.org"}


@pytest.fixture
def own_web(database: Database, base_env: dict[str, str]) -> Iterator[Web]:
    with started(web_env(database, base_env)) as web:
        yield web


@contextmanager
def gone(database: Database) -> Iterator[None]:
    """Postgres ends the service's connections and takes no new ones."""
    server = database.server
    with psycopg.connect(server.url(server.grader, GRADER_DATABASE), autocommit=True) as connection:
        alter = f'ALTER DATABASE "{database.name}" ALLOW_CONNECTIONS'.encode()
        connection.execute(alter + b" false")
        query = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
        connection.execute(query, [database.name])
        yield
        connection.execute(alter + b" true")


@contextmanager
def frozen(database: Database) -> Iterator[None]:
    """The service's sessions stay connected and do nothing."""
    pids = [session["pid"] for session in database.sessions()]
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_without_postgres_it_is_alive_and_not_ready_and_recovers(own_web: Web, database: Database) -> None:
    tenant = database.add_tenant()
    with gone(database):
        ok(own_web.call("GET", "/livez"))
        answer = own_web.call("GET", "/readyz")
        assert problem(answer, 503, "dependency-unavailable")["dependency"] == "postgres"
        assert answer.headers["Retry-After"].isdigit()
    eventually(lambda: own_web.call("GET", "/readyz").status_code == 200, "readiness again")
    ok(own_web.call("POST", "/v1/customers", tenant=tenant, json=CUSTOMER), 201)


def test_a_request_that_meets_a_dead_connection_is_told_to_try_again(
    own_web: Web, database: Database
) -> None:
    tenant = database.add_tenant()
    with gone(database):
        answer = own_web.call("GET", "/v1/customers", tenant=tenant)
        problem(answer, 503, "dependency-unavailable")
        assert own_web.line_of(answer)["status"] == 503


def test_a_frozen_postgres_does_not_hold_up_the_answer(own_web: Web, database: Database) -> None:
    with frozen(database):
        answer = own_web.call("GET", "/readyz")
        problem(answer, 503, "dependency-unavailable")
        ok(own_web.call("GET", "/livez"))
        assert own_web.line_of(answer)["duration_ms"] < 5000
    eventually(lambda: own_web.call("GET", "/readyz").status_code == 200, "readiness again")
