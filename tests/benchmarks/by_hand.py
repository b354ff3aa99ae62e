"""The same service under test, as a person would write it: pytest and a session fixture that makes the database.

The fixture does what pytest-postgresql does (`pg_ctl initdb` with trust, `postgres -F` with logging to standard error,
`stop -m fast`), with initdb and postgres called directly: pg_ctl, and so that plugin, refuse to run as root, and the kit's
benchmark has to run there, too. It then fills both databases with the lesson's own dataset.sql, which was written to be
fast; hand-written seeding rarely is. pg_stat_statements and auto_explain are loaded, since the checks could not count
without. One cluster for the whole session, the requests of a grade, nothing else: no right answers, costs or plans are
asked for, so this does less than the kit.

Not named test_*: it is no test of the kit, and runs only as `pytest tests/benchmarks/by_hand.py` with a plan.
"""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from compose.identity import stores_identity
from compose.ports import HOST
from tests.benchmarks import bare, traffic
from tests.benchmarks.bare import Logins
from tests.benchmarks.plan import Laps, Plan, given_plan, lap, report_laps

OPTIONS = (
    "-F",
    "-c", "log_destination=stderr",
    "-c", "logging_collector=off",
    "-c", "unix_socket_directories=",
    "-c", "shared_preload_libraries=pg_stat_statements,auto_explain",
    "-c", "auto_explain.log_analyze=on",
    "-c", "auto_explain.log_timing=off",
    "-c", "auto_explain.log_format=json",
)  # fmt: skip

ROLES = ("CREATE ROLE billing_owner LOGIN", "CREATE ROLE billing_app LOGIN")

# Plans of the service alone, so that filling the tables is not slowed down.
EXPLAINED = "ALTER ROLE billing_app SET auto_explain.log_min_duration = 0"

GRANTS = (
    "ALTER DEFAULT PRIVILEGES FOR ROLE billing_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO billing_app",
    "ALTER DEFAULT PRIVILEGES FOR ROLE billing_owner GRANT USAGE, SELECT ON SEQUENCES TO billing_app",
)


@pytest.fixture(scope="session")
def plan() -> Plan:
    return given_plan()


@pytest.fixture(scope="session")
def laps(plan: Plan) -> Iterator[Laps]:
    laps = Laps()
    yield laps
    report_laps(plan, laps)


@pytest.fixture(scope="session")
def tree(plan: Plan, laps: Laps) -> Path:
    with lap(laps, "files"):
        return bare.service_tree(plan)


@pytest.fixture(scope="session")
def port(plan: Plan, laps: Laps, tree: Path) -> Iterator[int]:
    """The port of a Postgres with both databases filled, made from nothing."""
    identity, port = stores_identity(), bare.free_port()
    home = identity.directory(Path(plan.folder, "postgres"))
    data = home / "data"
    initdb = [
        plan.initdb,
        f"--pgdata={data}",
        "--username=postgres",
        "--auth=trust",
        "--locale=C",
        "--encoding=UTF8",
    ]
    command: list[str | Path] = [plan.postgres, "-D", data, "-p", str(port), *OPTIONS]
    with ExitStack() as stack:
        with lap(laps, "stores"):
            subprocess.run(initdb, cwd=home, check=True, capture_output=True, **identity.process())
            server = bare.running(command, home, user=identity.process(), end=signal.SIGINT)
            stack.enter_context(server)
            bare.until(lambda: bare.database_lets_in(_url("postgres", port, "postgres")), "Postgres")
        with lap(laps, "seed"):
            _seed(plan, tree, port)
        yield port
        with lap(laps, "stop"):
            stack.close()
            shutil.rmtree(home)


@pytest.fixture(scope="session")
def cache_url(plan: Plan, laps: Laps) -> Iterator[str]:
    with ExitStack() as stack:
        with lap(laps, "stores"):
            url = stack.enter_context(bare.cache(plan))
        yield url


def test_service(plan: Plan, laps: Laps, tree: Path, port: int, cache_url: str) -> None:
    """Every request of a grade gets its answer."""
    exchanges = traffic.load(Path(plan.traffic))
    wanted = [
        Logins(name, _url("billing_owner", port, name), _url("billing_app", port, name))
        for name in traffic.databases(exchanges)
    ]
    with ExitStack() as stack:
        ports = bare.services(plan, tree, wanted, cache_url, laps, stack)
        with lap(laps, "requests"):
            laps["different"] = traffic.replay(exchanges, ports)


def _seed(plan: Plan, tree: Path, port: int) -> None:
    with psycopg.connect(_url("postgres", port, "postgres"), autocommit=True) as admin:
        for statement in (*ROLES, EXPLAINED):
            admin.execute(statement)
        for name in plan.databases:
            admin.execute(SQL("CREATE DATABASE {} OWNER billing_owner").format(Identifier(name)))
    for name, sizes in plan.databases.items():
        _fill(plan, tree, port, name, sizes)


def _fill(plan: Plan, tree: Path, port: int, name: str, sizes: dict[str, int]) -> None:
    with psycopg.connect(_url("postgres", port, name), autocommit=True) as admin:
        for grant in GRANTS:
            admin.execute(grant)
    owner_url = _url("billing_owner", port, name)
    bare.release(plan, tree, owner_url, "--to", plan.schema)
    with psycopg.connect(owner_url, autocommit=True) as owner:
        for size, value in sizes.items():
            owner.execute("SELECT set_config(%s, %s, false)", (f"octo.{size}", str(value)))
        owner.execute(SQL(Path(plan.dataset).read_text()))
    with psycopg.connect(_url("postgres", port, name), autocommit=True) as admin:
        admin.execute("VACUUM ANALYZE")


def _url(user: str, port: int, database: str) -> str:
    return f"postgresql://{user}@{HOST}:{port}/{database}"
