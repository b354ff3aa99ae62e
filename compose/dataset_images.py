"""Datasets as images on a Docker engine: built once in a container, committed, kept under the cache's own hash."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from compose import cluster, dataset_cache, roles
from compose.engine import IMAGE, Client
from compose.locks import locked
from compose.passwords import new_password
from compose.ports import HOST
from compose.postgres import APP, BUILD, GRADER, IMPORTER, OWNER, Cluster, Purpose, connect
from compose.stores import Dataset, Login, PostgresServer

REPOSITORY = "octo_lab/dataset"
DATASET, PASSWORD = "octo_lab.dataset", "octo_lab.password"

# No place that an official image declares a volume of: a volume is not committed.
CLUSTER = Cluster(Path("/octo"), "", first_database="postgres")

_FILES = "-c config_file=/octo/conf/postgresql.conf -c hba_file=/octo/conf/pg_hba.conf"
_SERVER = f"exec postgres -D {CLUSTER.data} {_FILES}"
# Statistics of the build would count as the service's own.
SERVE = ["sh", "-c", f"rm -f {CLUSTER.data}/pg_stat/pgstat.stat && {_SERVER}"]
MAKE = [
    "sh",
    "-c",
    f"install -d -o postgres -g postgres -m 0700 {CLUSTER.data} && "
    "exec setpriv --reuid=postgres --regid=postgres --init-groups sh -c "
    f"'initdb --pgdata={CLUSTER.data} --pwfile=/octo/conf/password {' '.join(cluster.INITDB)} && {_SERVER}'",
]


WAITING = "Waiting: another run is preparing the data of this lesson."


class PutUp(Protocol):
    """Puts a Postgres up: the kind of container, its image and command, what for."""

    def __call__(self, kind: str, image: str, command: list[str], purpose: Purpose, **how: Any) -> Any: ...


@dataclass(frozen=True)
class Building:
    """What a build needs: the engine, the folder and the port of the server, how it is put up and waited for."""

    client: Client
    folder: Path
    port: int
    put_up: PutUp
    await_ready: Callable[..., str]
    say: Callable[[str], None]


def found(dataset: Dataset, base: str, client: Client) -> tuple[str, str] | None:
    """The image and the password in it, if it is there."""
    images = client.images.list(filters={"label": f"{DATASET}={dataset_cache.name_of(dataset, base)}"})
    return (str(images[0].id), str(images[0].labels[PASSWORD])) if images else None


def had(dataset: Dataset, base: str, building: Building) -> tuple[str, str]:
    """The image that holds the dataset, and the superuser's password in it; built on `base` if need be.

    The password lets nobody in anywhere: each grade renews it before anything of the submission's runs.
    """
    name = dataset_cache.name_of(dataset, base)
    with locked(dataset_cache.shelf() / f"{name}.docker.lock", waiting=lambda: building.say(WAITING)):
        if there := found(dataset, base, building.client):
            return there
        building.say("Preparing the data of this lesson, once on this engine.")
        return _built(dataset, name, base, building)


def _built(dataset: Dataset, name: str, base: str, building: Building) -> tuple[str, str]:
    folder, port = building.folder, building.port
    password = new_password()
    (folder / "conf" / "password").write_text(password)
    server = building.put_up(f"build-{secrets.token_hex(2)}", base, MAKE, BUILD, user="root", hard=False)
    try:
        grader = Login(GRADER, password)
        owner, app, importer = (Login(role, new_password()) for role in (OWNER, APP, IMPORTER))
        version = building.await_ready(server, port, grader, "postgres")
        addresses = PostgresServer(
            HOST, port, grader, owner, app, importer, folder / "log" / CLUSTER.log.name, version
        )
        roles.furnish(addresses)
        dataset.fill(addresses)
        with connect(port, grader) as session:
            session.execute("CHECKPOINT")
        server.container.kill("SIGINT")
        if server.container.wait(timeout=120)["StatusCode"]:
            raise server.failure("did not stop cleanly after the data were made")
        made = server.container.commit(
            REPOSITORY,
            name,
            changes=["USER postgres"],
            conf={"Labels": {IMAGE: "dataset", DATASET: name, PASSWORD: password}},
        )
        return str(made.id), password
    finally:
        server.container.remove(force=True, v=True)
        for file in (folder / "log").iterdir():
            file.unlink()
