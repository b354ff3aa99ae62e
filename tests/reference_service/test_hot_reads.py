"""The reads that people wait for read what they return, whatever the table holds."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from compose.postgres import GRADER_DATABASE
from compose.stores import PostgresServer
from tests.reference_service.calling import Tenant, ok
from tests.reference_service.running import Row, new_database, release, started, web_env

# Customer 1 has half of all invoices; three in a hundred are sent; four and four were created at one moment.
SEED = """
    INSERT INTO tenants (name, currency) VALUES ('T', 'EUR');
    INSERT INTO customers (tenant_id, name, email)
    SELECT 1, 'C', 'c@example.org' FROM generate_series(1, 200);
    INSERT INTO invoices
           (tenant_id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at)
    SELECT 1, CASE WHEN n % 2 = 0 THEN 1 ELSE 2 + n % 199 END, 'INV-' || n,
           CASE WHEN n * 7 % 100 < 3 THEN 'sent' ELSE 'paid' END, 'EUR', 100,
           CASE WHEN n * 7 % 100 < 3 THEN 0 ELSE 100 END, date '2025-01-01' + n % 365,
           timestamptz '2025-01-01Z' + n / 4 * interval '1 minute'
    FROM generate_series(1, 20000) AS n;
"""


@pytest.fixture(scope="module")
def large(postgres: PostgresServer, base_env: dict[str, str]) -> Iterator[Tenant]:
    """A service on a table that was filled at 0003 and released after that, as in production."""
    database = new_database(postgres)
    assert release(database, base_env, arguments="--to 0003").code == 0
    with database.connect() as connection:
        # Beside commits that are not flushed yet VACUUM marks no page as all-visible.
        connection.execute("SET synchronous_commit = on")
        connection.execute(SEED)
        connection.execute("VACUUM ANALYZE")
    assert release(database, base_env).code == 0
    with psycopg.connect(postgres.url(postgres.grader, GRADER_DATABASE), autocommit=True) as connection:
        # What a new connection reads of the catalogs to plan its first statements is no cost of a page.
        off = SQL("ALTER DATABASE {} SET pg_stat_statements.track_planning = off")
        connection.execute(off.format(Identifier(database.name)))
    with started(web_env(database, base_env)) as web:
        yield Tenant(web, database, 1)


@dataclass(frozen=True)
class Cost:
    """What the statements of one request cost."""

    statements: int
    buffers: int


def cost(large: Tenant, path: str, **query: object) -> tuple[Row, Cost]:
    """The answer, and what Postgres did for it."""
    server = large.database.server
    with psycopg.connect(server.url(server.grader, GRADER_DATABASE), autocommit=True) as connection:
        connection.execute("SELECT pg_stat_statements_reset()")
        answer = ok(large.get(path, **query))
        row = connection.execute(
            "SELECT sum(calls), sum(shared_blks_hit + shared_blks_read) FROM pg_stat_statements"
            " JOIN pg_database ON pg_database.oid = dbid WHERE datname = %s AND query <> 'SELECT $1'",
            [large.database.name],
        ).fetchone()
    assert row
    return answer, Cost(int(row[0]), int(row[1]))


def far_into(large: Tenant, path: str, pages: int, **query: object) -> str:
    cursor: dict[str, str] = {}
    for _ in range(pages):
        cursor = {"cursor": ok(large.get(path, limit=100, **cursor, **query))["next_cursor"]}
    return cursor["cursor"]


def test_newest_invoices_cost_a_page_wherever_the_page_is(large: Tenant) -> None:
    path = "/v1/customers/1/invoices"
    first, first_cost = cost(large, path, limit=20)
    later, later_cost = cost(large, path, limit=20, cursor=far_into(large, path, 90))
    assert len(first["items"]) == len(later["items"]) == 20
    assert first_cost.statements == later_cost.statements == 2
    assert max(first_cost.buffers, later_cost.buffers) < 40


def test_overdue_costs_a_page_wherever_the_page_is(large: Tenant) -> None:
    path, query = "/v1/invoices/overdue", {"as_of": "2026-01-01"}
    first, first_cost = cost(large, path, limit=20, **query)
    later, later_cost = cost(large, path, limit=20, cursor=far_into(large, path, 5, **query), **query)
    assert len(first["items"]) == len(later["items"]) == 20
    assert first_cost.statements == later_cost.statements == 1
    assert max(first_cost.buffers, later_cost.buffers) < 40


def test_a_number_costs_its_invoice(large: Tenant) -> None:
    found, spent = cost(large, "/v1/invoices/by-number/inv-12345")
    assert found["number"] == "INV-12345"
    assert spent.statements == 2
    assert spent.buffers < 12


def test_a_balance_costs_the_open_invoices(large: Tenant) -> None:
    for customer, open_invoices, most in (("1", 400, 15), ("200", 1, 12)):
        balance, spent = cost(large, f"/v1/customers/{customer}/balance")
        assert balance["open_invoices"] == open_invoices
        assert spent.statements == 1
        assert spent.buffers < most


def test_the_plans_stay_when_statements_are_prepared(large: Tenant) -> None:
    """The driver prepares a statement after five uses, and Postgres may plan it anew after five more."""
    path = "/v1/customers/1/invoices"
    for _ in range(30):
        ok(large.get(path, limit=20))
    assert cost(large, path, limit=20)[1].buffers < 40
