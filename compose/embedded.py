"""Private servers of one run, without Docker: a copy of the dataset, Valkey, free ports, fresh passwords."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from compose import dataset_cache, ports, postgres, roles, valkey
from compose.dataset_cache import EMPTY, Making
from compose.disk import full_disk_explained
from compose.identity import Identity, stores_identity
from compose.passwords import new_password
from compose.places import cache_root, silently
from compose.postgres import APP, GRADE, GRADER, IMPORTER, OWNER
from compose.reachable import postgres_programs, valkey_program
from compose.server import Server
from compose.stores import Dataset, FixedAddresses, Login, PostgresServer, RedisServer, StoreName, Stores


@dataclass(frozen=True)
class Run:
    """The run that the servers are for."""

    run_dir: Path
    home: Path
    identity: Identity
    fixed: FixedAddresses | None
    record: Callable[[int], None]
    say: Callable[[str], None]

    def password(self) -> str:
        """The promised password, or a fresh one."""
        return self.fixed.password if self.fixed else new_password()

    def ports(self, name: StoreName) -> Iterator[int]:
        """The ports to try for a store."""
        return ports.promised(getattr(self.fixed, name), self.say) if self.fixed else ports.candidates()


@contextmanager
def start(
    wanted: frozenset[StoreName],
    dataset: Dataset | None,
    run_dir: Path,
    *,
    fixed: FixedAddresses | None = None,
    ways_out: int = 0,
    record: Callable[[int], None],
    say: Callable[[str], None] = silently,
) -> Iterator[Stores]:
    """The wanted stores, up while the body runs; nothing of them is left after it, however it ends.

    run_dir: a directory of this run alone, from `places.run_directory()`, which `record` belongs to as well.
    dataset: what stands in Postgres; None for databases without tables.
    fixed: addresses to use instead of random ones; a busy port is replaced and `say` is told.
    ways_out: how many servers of the caller's own are to be reached from where the submission runs; here all are.

    Raises StoresFailed with the server's own last lines and what to do.
    """
    del ways_out  # embedded, the submission shares our loopback
    identity = stores_identity()
    cache_root(say)  # says so when the data cannot be kept where they were asked to be
    run = Run(run_dir, identity.directory(run_dir / "stores"), identity, fixed, record, say)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, run.home, ignore_errors=True)
        with full_disk_explained(run_dir):
            stores = _up(wanted, dataset or EMPTY, run, stack)
        yield stores


def _up(wanted: frozenset[StoreName], dataset: Dataset, run: Run, stack: ExitStack) -> Stores:
    """Spawn all before the first is awaited, so that they come up at the same time."""
    cache = _spawn_redis("cache", run, stack) if "cache" in wanted else None
    queue = _spawn_redis("queue", run, stack) if "queue" in wanted else None
    database = _spawn_postgres(dataset, run, stack) if "postgres" in wanted else None
    return Stores(
        postgres=database() if database else None,
        cache=cache() if cache else None,
        queue=queue() if queue else None,
    )


def _spawn_redis(name: Literal["cache", "queue"], run: Run, stack: ExitStack) -> Callable[[], RedisServer]:
    """Spawn the store; the returned function waits for it and gives its address."""
    password, grader = run.password(), Login(valkey.GRADER, new_password())
    home = run.identity.directory(run.home / name)
    recipe = valkey.recipe(name, valkey_program(run.identity).path, home, run.identity, password, grader)
    server = Server(recipe, run.ports(name), run.record)
    stack.callback(server.stop)
    server.spawn()

    def awaited() -> RedisServer:
        version = server.await_ready()
        return RedisServer(ports.HOST, server.port, password, grader, recipe.logs[-1], version)

    return awaited


def _spawn_postgres(dataset: Dataset, run: Run, stack: ExitStack) -> Callable[[], PostgresServer]:
    """Copy the cluster and spawn Postgres on it; the returned function waits for it and gives its address."""
    programs = postgres_programs(run.identity)
    home = run.identity.directory(run.home / "postgres")
    making = Making(programs, run.identity, run.run_dir, run.record, run.say)
    cluster = dataset_cache.copy(dataset, home, making)
    run.identity.directory(cluster.log.parent)
    recipe = postgres.recipe(programs.postgres, cluster, run.identity, GRADE)
    server = Server(recipe, run.ports("postgres"), run.record)
    stack.callback(server.stop)
    server.spawn()

    def awaited() -> PostgresServer:
        version = server.await_ready()
        logins = [Login(role, run.password()) for role in (GRADER, OWNER, APP, IMPORTER)]
        roles.renew_passwords(server.port, cluster.grader(), logins)
        grader, owner, app, importer = logins
        return PostgresServer(ports.HOST, server.port, grader, owner, app, importer, cluster.log, version)

    return awaited
