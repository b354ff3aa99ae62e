"""A real Postgres with one table that looks like the service's, for probes that watch it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from compose.embedded import start
from compose.places import run_directory
from compose.stores import Dataset, PostgresServer
from graders.probes.postgres import Postgres
from graders.probes.transcript import Transcript

TABLES = """
    CREATE TABLE customers (id bigint PRIMARY KEY);
    CREATE TABLE invoices (
        id bigint PRIMARY KEY, customer_id bigint NOT NULL, status text, paid_cents bigint, created_at timestamptz
    );
    INSERT INTO invoices SELECT n, n % 10, CASE WHEN n % 50 = 0 THEN 'sent' ELSE 'paid' END, 0,
                                timestamptz '2026-01-01' + n * interval '1 minute'
    FROM generate_series(1, 2000) AS n;
    CREATE INDEX by_customer ON invoices (customer_id, created_at DESC);
"""


def _fill(server: PostgresServer) -> None:
    with psycopg.connect(server.url(server.owner), autocommit=True) as owner:
        owner.execute(TABLES)
        owner.execute("ANALYZE")


@pytest.fixture(scope="session")
def server(open_folder: Path) -> Iterator[PostgresServer]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("OCTO_LAB_CACHE", str(open_folder / "probes"))
        wanted = frozenset({"postgres"})
        with (
            run_directory() as run,
            start(wanted, Dataset("probes", _fill), run.path, record=run.record) as stores,  # type: ignore[arg-type]
        ):
            assert stores.postgres
            yield stores.postgres


@pytest.fixture
def postgres(server: PostgresServer) -> Iterator[Postgres]:
    probe = Postgres(server, "billing", Transcript())
    yield probe
    probe.close()


Session = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def service(server: PostgresServer) -> Iterator[Session]:
    """A session as the service's own."""
    with psycopg.connect(server.url(server.app), autocommit=True) as session:
        yield session


@pytest.fixture
def owner(server: PostgresServer) -> Iterator[Callable[[str], None]]:
    """Runs one statement as the schema's owner."""
    with psycopg.connect(server.url(server.owner), autocommit=True) as session:

        def run(statement: str) -> None:
            session.execute(statement.encode())

        yield run
