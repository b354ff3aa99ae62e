"""A Postgres for all tests of the service, databases of their own for some, and the service running."""

from collections.abc import Iterator

import pytest

from compose import embedded
from compose.places import run_directory
from compose.stores import PostgresServer, RedisServer, StoreName, Stores
from graders.engine.runtime import python_environment
from tests.reference_service.calling import Tenant
from tests.reference_service.running import (
    SERVICE,
    Database,
    Web,
    copy_of,
    new_database,
    release,
    started,
    web_env,
)

POSTGRES: frozenset[StoreName] = frozenset({"postgres"})


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with (
        run_directory() as directory,
        embedded.start(POSTGRES, None, directory.path, record=directory.record) as stores,
    ):
        assert stores.postgres
        yield stores.postgres


@pytest.fixture(scope="session")
def redises() -> Iterator[Stores]:
    """A cache and a queue, which tests empty before they use them."""
    wanted: frozenset[StoreName] = frozenset({"cache", "queue"})
    with (
        run_directory() as directory,
        embedded.start(wanted, None, directory.path, record=directory.record) as stores,
    ):
        yield stores


@pytest.fixture
def queue(redises: Stores) -> RedisServer:
    assert redises.queue
    return redises.queue


@pytest.fixture
def cache(redises: Stores) -> RedisServer:
    assert redises.cache
    return redises.cache


@pytest.fixture(scope="session")
def base_env() -> dict[str, str]:
    """What every process of the service gets: the programs that its requirements ask for."""
    programs = python_environment(SERVICE / "requirements.txt")
    return {"PATH": f"{programs}:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def empty_database(postgres: PostgresServer) -> Database:
    """Without a table."""
    return new_database(postgres)


@pytest.fixture(scope="session")
def released(postgres: PostgresServer, base_env: dict[str, str]) -> Database:
    """With the current schema and no row; only ever copied."""
    database = new_database(postgres)
    assert release(database, base_env).code == 0
    return database


@pytest.fixture
def database(released: Database) -> Database:
    """With the current schema and no row, for one test alone."""
    return copy_of(released)


@pytest.fixture(scope="session")
def shared_database(released: Database) -> Database:
    """What the shared service runs on."""
    return copy_of(released)


@pytest.fixture(scope="session")
def web(shared_database: Database, base_env: dict[str, str]) -> Iterator[Web]:
    """One running service for all tests that neither stop nor starve it; each has tenants of its own."""
    with started(web_env(shared_database, base_env)) as running:
        yield running


@pytest.fixture
def tenant(web: Web, shared_database: Database) -> Tenant:
    return Tenant(web, shared_database, shared_database.add_tenant())


@pytest.fixture
def other_tenant(web: Web, shared_database: Database) -> Tenant:
    return Tenant(web, shared_database, shared_database.add_tenant("USD"))
