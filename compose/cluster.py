"""How a Postgres cluster comes about: initdb, roles, data, a clean stop. `dataset_cache` keeps it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg

from compose import ports, postgres, roles
from compose.identity import Identity
from compose.last_words import remedy_for
from compose.passwords import new_password
from compose.postgres import APP, BUILD, GRADER, IMPORTER, OWNER, Cluster
from compose.reachable import PostgresPrograms
from compose.server import Server
from compose.spawning import environment
from compose.stores import Dataset, Login, PostgresServer, StoresFailed

# The locale is Postgres' own (builtin C.UTF-8), so that order and lower() are the same on every system.
INITDB = (
    f"--username={GRADER}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
    "--wal-segsize=4",
    "--no-sync",
    "--no-instructions",
)

# Statistics of the build would count as the service's own; the rest is written anew at every start.
NOT_KEPT = ("pg_stat/pgstat.stat", "postgresql.conf", "pg_hba.conf", "postmaster.opts", "current_logfiles")


def build(
    home: Path,
    dataset: Dataset,
    programs: PostgresPrograms,
    identity: Identity,
    record: Callable[[int], None],
) -> Cluster:
    """Make a stopped cluster with the dataset's data in `home`, an empty directory of the servers' user.

    Raises StoresFailed when Postgres does not come up or stop cleanly; whatever `dataset.fill` raises.
    """
    cluster = Cluster(home, new_password(), first_database="postgres")
    identity.directory(home / "log")
    _initdb(cluster, programs, identity)
    server = Server(postgres.recipe(programs.postgres, cluster, identity, BUILD), ports.candidates(), record)
    try:
        server.spawn()
        version = server.await_ready()
        _fill(dataset, _addresses(server, cluster, version))
    except psycopg.OperationalError as error:
        if server.alive():
            raise
        raise server.failure("stopped while the data were being made") from error
    finally:
        server.stop()
    if not server.stopped_cleanly():
        raise server.failure("did not stop cleanly after the data were made")
    for name in NOT_KEPT:
        (cluster.data / name).unlink(missing_ok=True)
    return cluster


def _initdb(cluster: Cluster, programs: PostgresPrograms, identity: Identity) -> None:
    password = cluster.home / "password"
    identity.write(password, cluster.password)
    made = subprocess.run(
        [programs.initdb, f"--pgdata={cluster.data}", f"--pwfile={password}", *INITDB],
        capture_output=True,
        text=True,
        cwd=cluster.home,
        env=environment(),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        umask=0o077,
        **identity.process(),
    )
    if made.returncode:
        words = made.stdout + made.stderr
        raise StoresFailed("Postgres could not make a new cluster.", remedy_for(words), words)


def _addresses(server: Server, cluster: Cluster, version: str) -> PostgresServer:
    owner, app, importer = (Login(role, new_password()) for role in (OWNER, APP, IMPORTER))
    return PostgresServer(
        ports.HOST, server.port, cluster.grader(), owner, app, importer, cluster.log, version
    )


def _fill(dataset: Dataset, server: PostgresServer) -> None:
    roles.furnish(server)
    dataset.fill(server)
    with postgres.connect(server.port, server.grader) as session:
        session.execute("CHECKPOINT")
