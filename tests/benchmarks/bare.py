"""Programs started with nothing around them: a process, a wait until it answers, its end. No deadlines, no sandbox."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import psycopg

from compose import valkey
from compose.identity import ProcessUser, stores_identity
from compose.passwords import new_password
from compose.ports import HOST, candidates
from compose.stores import Login
from tests.benchmarks.plan import Laps, Plan, lap

PATIENCE = 60.0
PAUSE = 0.01


@dataclass(frozen=True)
class Logins:
    """The URLs of one database: for `release`, and for `web`."""

    database: str
    owner: str = field(repr=False)
    app: str = field(repr=False)


@contextmanager
def running(
    command: Sequence[str | Path],
    folder: Path,
    *,
    env: Mapping[str, str] | None = None,
    user: ProcessUser | None = None,
    end: signal.Signals = signal.SIGKILL,
) -> Iterator[None]:
    """The program at work in `folder`, its output in a file there. On leaving it gets the signal `end`."""
    with Path(folder, "output.log").open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            **(user or {}),
        )
    try:
        yield
    finally:
        process.send_signal(end)
        process.wait()


def until(ready: Callable[[], bool], what: str) -> None:
    """Wait until `ready` says so. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come up")
        time.sleep(PAUSE)


def database_lets_in(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def free_port() -> int:
    return next(candidates())


@contextmanager
def cache(plan: Plan) -> Iterator[str]:
    """Valkey with the kit's configuration; its URL."""
    identity, password, port = stores_identity(), new_password(), free_port()
    home = identity.directory(Path(plan.folder, "cache"))
    recipe = valkey.recipe(
        "cache", Path(plan.valkey), home, identity, password, Login(valkey.GRADER, new_password())
    )
    with running(recipe.command(port), home, user=identity.process()):
        until(lambda: recipe.ready(port) is not None, "Valkey")
        yield f"redis://:{password}@{HOST}:{port}/0"


def service_tree(plan: Plan) -> Path:
    """A copy of the reference service, as every grade makes one."""
    tree = Path(plan.folder, "tree")
    shutil.copytree(plan.reference, tree, ignore=shutil.ignore_patterns("__pycache__"))
    return tree


def release(plan: Plan, tree: Path, url: str, *options: str) -> None:
    """Run the service's migrations to their end, as its Procfile does."""
    command = [f"{plan.python}/python", "-m", "billing.migrate", *options]
    subprocess.run(command, cwd=tree, env=_environment(plan, url), check=True, capture_output=True)


@contextmanager
def web(plan: Plan, tree: Path, database_url: str, cache_url: str) -> Iterator[int]:
    """The service's `web` process, ready; its port."""
    port = free_port()
    env = {**_environment(plan, database_url), "CACHE_URL": cache_url, "PORT": str(port)}
    with running([f"{plan.python}/python", "-m", "billing.app"], tree, env=env):
        until(lambda: _says_ready(port), "The service")
        yield port


def services(
    plan: Plan, tree: Path, wanted: Sequence[Logins], cache_url: str, laps: Laps, stack: ExitStack
) -> dict[str, int]:
    """`release` and then `web` for each database; the ports. The second and later ones are a lap of their own."""
    ports: dict[str, int] = {}
    for logins in wanted:
        with lap(laps, "second" if ports else "release"):
            release(plan, tree, logins.owner)
        with lap(laps, "second" if ports else "boot"):
            ports[logins.database] = stack.enter_context(web(plan, tree, logins.app, cache_url))
    return ports


def _environment(plan: Plan, database_url: str) -> dict[str, str]:
    return {
        "PATH": f"{plan.python}:/usr/local/bin:/usr/bin:/bin",
        "HOME": plan.folder,
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "HOST": HOST,
        "LOG_LEVEL": "info",
        "DATABASE_URL": database_url,
        "IDENTITY": "gateway",
    }


def _says_ready(port: int) -> bool:
    line = HTTPConnection(HOST, port, timeout=5)
    try:
        line.request("GET", "/readyz")
        return line.getresponse().status == 200
    except OSError:
        return False
    finally:
        line.close()
