"""Where the kit keeps things: the cache, and a directory for each run. The next run sweeps the dead."""

import os
import secrets
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from compose import engine, processes
from compose.disk import full_disk_explained
from compose.identity import can_enter, stores_identity
from compose.locks import Held, locked
from compose.spread import spread_trees
from compose.stores import StoresFailed

CACHE_VARIABLE = "OCTO_LAB_CACHE"
SYSTEM_CACHE = Path("/var/cache/octo_lab")


def silently(_: str) -> None:
    """A `say` for those who need not tell anybody."""


@dataclass(frozen=True)
class RunDirectory:
    """The directory of one run. While the run lives it holds a lock in it, and nobody sweeps it."""

    path: Path

    def record(self, pid: int) -> None:
        """Note a process of this run: if the run dies, the next one ends that process and its descendants."""
        processes.append(self.path / "processes", pid)


def cache_root(say: Callable[[str], None] = silently) -> Path:
    """The kit's cache directory, made if need be: OCTO_LAB_CACHE, or the user's cache directory.

    When we are root the servers run as another user, who must get there; where he cannot, it is
    /var/cache/octo_lab or a directory for temporary files. Raises StoresFailed when none can be used.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    places = [Path(chosen).absolute() if chosen else platformdirs.user_cache_path("octo_lab")]
    if os.geteuid() == 0:
        places += [SYSTEM_CACHE, Path(tempfile.gettempdir()) / f"octo_lab-{os.geteuid()}"]
    refusals: list[str] = []
    for place in places:
        if not (why := _refusal(place)):
            if refusals and chosen:
                say(f"{refusals[0]}; using {place} instead.")
            return place.resolve()
        refusals.append(why)
    raise StoresFailed(
        "There is no directory that the kit can keep its data in.",
        f"Set {CACHE_VARIABLE} to a directory on a local disk that you may write to.",
        "\n".join(refusals),
    )


def _refusal(place: Path) -> str:
    """Make the directory, and say why it cannot serve; an empty text when it can."""
    try:
        with full_disk_explained(place):
            place.mkdir(parents=True, exist_ok=True)
        found = place.lstat() if place.parent == Path(tempfile.gettempdir()) else place.stat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            return f"{place} belongs to somebody else"
        if found.st_mode & 0o777 != 0o711:
            place.chmod(0o711)  # the servers' user passes through and sees no list
    except OSError as error:
        return f"{place} cannot be written ({error.strerror})"
    identity = stores_identity()
    if identity.uid is not None and not can_enter(identity, place):
        return f"{place} is out of reach for the user that the servers run as"
    return ""


def _runs() -> Path:
    runs = cache_root() / "runs"
    if not runs.is_dir():
        runs.mkdir(exist_ok=True)
        runs.chmod(0o711)
    spread_trees(runs)
    return runs


@contextmanager
def run_directory() -> Iterator[RunDirectory]:
    """A new directory for one run, held by a lock while the body runs and removed after it."""
    runs = _runs()
    path = runs / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"
    with ExitStack() as stack:
        with full_disk_explained(runs), locked(runs / "lock"):  # a sweep never sees it made and not yet held
            path.mkdir()
            path.chmod(0o711)
            stack.enter_context(locked(path / "lock"))
        stack.callback(_remove, path)
        yield RunDirectory(path)


def sweep() -> list[str]:
    """End what dead runs left running and remove their directories; returns their names. Living runs stay."""
    runs = _runs()
    with ExitStack() as stack:
        with locked(runs / "lock"):
            dead = [path for path in runs.iterdir() if path.is_dir() and _taken(path, stack)]
        for path in dead:
            processes.end(processes.servers_in(path), signal.SIGQUIT)
            _remove(path)
    return [path.name for path in dead]


def _taken(path: Path, stack: ExitStack) -> bool:
    try:
        stack.enter_context(locked(path / "lock", wait=False))
    except (Held, FileNotFoundError):
        return False
    return True


def _remove(path: Path) -> None:
    processes.end(processes.recorded(path / "processes"), signal.SIGQUIT)
    if engine.swept(path):  # else the next sweep asks again
        shutil.rmtree(path, ignore_errors=True)
