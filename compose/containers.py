"""The servers of one run as Docker containers: the same stores as `embedded`, in a network of their own."""

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psycopg

from compose import dataset_images, postgres, roles, valkey
from compose.dataset_cache import EMPTY
from compose.dataset_images import Building
from compose.enclosure import HARDENED, Enclosure, await_relays, enclose
from compose.engine import MARK, Client, Container, Kept, connected, had, kept, remove_run
from compose.last_words import last_words, remedy_for
from compose.passwords import new_password
from compose.places import silently
from compose.ports import HOST
from compose.postgres import APP, GRADE, GRADER, IMPORTER, OWNER
from compose.stores import (
    Dataset,
    FixedAddresses,
    Login,
    PostgresServer,
    RedisServer,
    StoreName,
    Stores,
    StoresFailed,
)

READY_WITHIN = 60.0
QUARTERS, QUARTERS_FILES = 256 * 1024 * 1024, 20_000


@dataclass(frozen=True)
class Site:
    """Where one run's servers are put up. `home`: a directory that they share with us, and no other user enters."""

    client: Client
    enclosure: Enclosure
    home: Path
    fixed: FixedAddresses | None
    say: Callable[[str], None]

    def password(self) -> str:
        return self.fixed.password if self.fixed else new_password()

    def shared(self, name: str) -> Path:
        """A folder for a server: `conf`, which it reads, and `log`, which we read."""
        folder = self.home / name
        for part, mode in (("conf", 0o755), ("log", 0o777)):
            (folder / part).mkdir(parents=True)
            (folder / part).chmod(mode)
        return folder


@dataclass(frozen=True)
class Placed:
    """A server's container and where its words are."""

    name: str
    container: Container
    folder: Path

    def failure(self, what: str) -> StoresFailed:
        """What to raise when the server did `what`: with its exit code, its end by want of memory, its last lines."""
        self.container.reload()
        state = self.container.attrs["State"]
        words = "\n".join(
            [
                self.container.logs(tail=15).decode("utf-8", "replace"),
                last_words((self.folder / "log").iterdir()),
            ]
        ).strip()
        if state.get("OOMKilled"):
            return StoresFailed(
                f"{self.name} {what}: out of memory.",
                "Give Docker more memory, or close other programs.",
                words,
            )
        code = "" if state["Running"] else f" (exit code {state['ExitCode']})"
        return StoresFailed(f"{self.name} {what}{code}.", remedy_for(words), words)

    def running(self) -> bool:
        self.container.reload()
        return bool(self.container.attrs["State"]["Running"])


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
    """As `embedded.start`, on a Docker engine. Everything bears the run's name as a label, and is gone after the body.

    Raises StoresFailed: no engine, no permission, no image, or a server with its last words.
    """
    del record  # no process of ours: the engine's containers are found by their label
    home = run_dir / "stores"
    with ExitStack() as stack:
        client = stack.enter_context(connected())
        (run_dir / MARK).touch()
        run = kept(run_dir)
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        stack.callback(_taken_down, client, run, run_dir / MARK)
        home.mkdir(mode=0o700)
        enclosure = enclose(
            client, run, had(client, "python", say), fixed, say, QUARTERS, QUARTERS_FILES, ways_out
        )
        yield _up(wanted, dataset or EMPTY, Site(client, enclosure, home, fixed, say))


def _taken_down(client: Client, run: Kept, mark: Path) -> None:
    """Remove all of the run, and with it the mark by which whoever comes after us would do so."""
    remove_run(client, run)
    mark.unlink()


def dataset_image(dataset: Dataset | None, run_dir: Path, say: Callable[[str], None]) -> str:
    """The image that holds the dataset, built if there is none. Raises StoresFailed."""
    with connected() as client:
        base = had(client, "postgres", say)
        if found := dataset_images.found(dataset or EMPTY, base, client):
            return found[0]
        with start(frozenset({"postgres"}), dataset, run_dir, record=lambda pid: None, say=say):
            pass
        made = dataset_images.found(dataset or EMPTY, base, client)
        assert made, "the start built it"
        return made[0]


def _up(wanted: frozenset[StoreName], dataset: Dataset, site: Site) -> Stores:
    """All at the same time."""
    placed: list[Placed] = []
    with ThreadPoolExecutor(3) as pool:
        cache = pool.submit(_redis, "cache", site, placed) if "cache" in wanted else None
        queue = pool.submit(_redis, "queue", site, placed) if "queue" in wanted else None
        database = pool.submit(_postgres, dataset, site, placed) if "postgres" in wanted else None
        await_relays(site.enclosure)
        return Stores(
            postgres=database.result() if database else None,
            cache=cache.result() if cache else None,
            queue=queue.result() if queue else None,
            enclosure=site.enclosure,
            fallen=lambda: _fallen(placed),
        )


def _fallen(placed: list[Placed]) -> StoresFailed | None:
    dead = next((each for each in placed if not each.running()), None)
    return dead.failure("died during the grade") if dead else None


def _redis(name: Literal["cache", "queue"], site: Site, placed: list[Placed]) -> RedisServer:
    image, port = had(site.client, "redis", site.say), site.enclosure.ports.of(name)
    password, grader = site.password(), Login(valkey.GRADER, new_password())
    folder = site.shared(name)
    log = folder / "log" / "redis.log"
    (folder / "conf" / "redis.conf").write_text(
        valkey.configuration(name, port, password, grader, Path("/octo/data"), Path("/octo/log") / log.name)
    )
    container = placed_in(
        site,
        name,
        image,
        ["redis-server", "/octo/conf/redis.conf"],
        user="redis",
        read_only=True,
        tmpfs={"/octo/data": "size=512m,mode=1777"},
    )
    container.start()
    server = Placed(f"The {name}", container, folder)
    placed.append(server)
    version = _awaited(server, lambda: valkey.version(port, grader))
    return RedisServer(HOST, port, password, grader, log, version)


def _postgres(dataset: Dataset, site: Site, placed: list[Placed]) -> PostgresServer:
    """A container on the dataset's image. What it writes goes to a layer of its own, which vanishes with it."""
    port = site.enclosure.ports.postgres
    base = had(site.client, "postgres", site.say)
    folder = site.shared("postgres")
    cluster = dataset_images.CLUSTER

    def put_up(kind: str, image: str, command: list[str], purpose: postgres.Purpose, **how: Any) -> Placed:
        text = postgres.settings(port, cluster, purpose) + "log_file_mode = 0644\n"
        (folder / "conf" / "postgresql.conf").write_text(text)
        (folder / "conf" / "pg_hba.conf").write_text(postgres.LOGINS)
        container = placed_in(site, kind, image, command, folder="postgres", **how)
        container.start()
        return Placed("Postgres", container, folder)

    building = Building(site.client, folder, port, put_up, _await_postgres, site.say)
    image, old = dataset_images.had(dataset, base, building)
    server = put_up("postgres", image, dataset_images.SERVE, GRADE, user="postgres")
    placed.append(server)
    version = _await_postgres(server, port, Login(GRADER, old))
    logins = [Login(role, site.password()) for role in (GRADER, OWNER, APP, IMPORTER)]
    roles.renew_passwords(port, Login(GRADER, old), logins)
    grader, owner, app, importer = logins
    return PostgresServer(HOST, port, grader, owner, app, importer, folder / "log" / postgres.LOG, version)


def placed_in(
    site: Site,
    kind: str,
    image: str,
    command: list[str],
    *,
    folder: str = "",
    hard: bool = True,
    **how: Any,
) -> Container:
    """A container in the enclosure, with its folder's `conf` to read and `log` to write."""
    home = site.home / (folder or kind)
    return site.client.containers.create(
        image,
        entrypoint=command,
        name=f"octo_lab-{site.enclosure.kept.run}-{kind}",
        labels=site.enclosure.kept.labels(kind),
        network_mode=site.enclosure.network,
        volumes={
            str(home / "conf"): {"bind": "/octo/conf", "mode": "ro"},
            str(home / "log"): {"bind": "/octo/log", "mode": "rw"},
        },
        **(HARDENED if hard else {}),
        **how,
    )


def _await_postgres(server: Placed, port: int, login: Login, database: str = postgres.GRADER_DATABASE) -> str:
    def version() -> str | None:
        try:
            with postgres.connect(port, login, database) as session:
                number = session.info.server_version
        except psycopg.OperationalError:
            return None
        return f"{number // 10000}.{number % 10000}"

    return _awaited(server, version)


def _awaited(server: Placed, ready: Callable[[], str | None]) -> str:
    """Wait until it answers; its version. Raises StoresFailed."""
    deadline, pause = time.monotonic() + READY_WITHIN, 0.02
    while (version := ready()) is None:
        if not server.running():
            raise server.failure("stopped while it was starting")
        if time.monotonic() > deadline:
            raise server.failure(f"did not answer within {READY_WITHIN:.0f} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)
    return version
