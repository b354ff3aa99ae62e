"""What a forgery must not touch, laid out before it runs and looked at after: secrets, listeners, caches, processes."""

import contextlib
import hashlib
import os
import secrets
import shutil
import socket
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from compose.places import cache_root

VARIABLE = "OCTO_LAB_CANARY"
PREFIX = "octo-canary-"
RESULT = '{"verdict": "fail", "score": 0}\n'
KEPT = ("python", "node", "tools", "datasets")
RENEWED = (".lock", ".log")
READ_WHOLE = 64 * 1024


@dataclass
class Canaries:
    """The canaries of one run of the corpus; `secret` must never be found in a report."""

    secret: str
    folder: Path
    kept: Mapping[Path, str]
    port: int
    callers: list[str] = field(default_factory=list)

    def hurt(self) -> tuple[str, ...]:
        """Which ones were, a sentence each."""
        found = [*self.callers]
        if (self.folder / "results.json").read_text() != RESULT or len([*self.folder.iterdir()]) != 2:
            found.append("a file outside that anybody may write was written")
        if changed := sorted(
            str(path) for path, state in self.kept.items() if _state(path) not in (state, "gone")
        ):
            found.append(f"the cache was changed: {', '.join(changed[:5])}")
        # To what was there before: what is new as a whole, another grade has built meanwhile.
        folders = {path.parent for path in self.kept}
        if new := sorted(str(path) for path in _files() if path.parent in folders and path not in self.kept):
            found.append(f"the cache was added to: {', '.join(new[:5])}")
        return tuple(found)


@contextmanager
def watched() -> Iterator[Canaries]:
    """Canaries while the body runs: in a folder, in our environment, on loopback, in the cache."""
    secret = secrets.token_hex(16)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        stack.callback(shutil.rmtree, folder)
        folder.chmod(0o777)
        (folder / "secret").write_text(secret)
        (folder / "results.json").write_text(RESULT)
        (folder / "results.json").chmod(0o666)
        os.environ[VARIABLE] = secret
        stack.callback(os.environ.pop, VARIABLE)
        listeners = [*_listeners(secret)]
        canaries = Canaries(secret, folder, _states(), listeners[0].getsockname()[1])
        for listener in listeners:
            stack.callback(listener.close)
            threading.Thread(target=_note_callers, args=(listener, canaries.callers), daemon=True).start()
        yield canaries


def left_running(token: str) -> tuple[str, ...]:
    """Processes with `token` among their arguments, as sentences."""
    return tuple(
        f"process {process.pid} is still running"
        for process in psutil.process_iter(["cmdline"])
        if any(token in argument for argument in process.info["cmdline"] or ())
    )


def _listeners(secret: str) -> Iterator[socket.socket]:
    yield socket.create_server(("127.0.0.1", 0))
    if sys.platform == "linux":  # abstract names belong to the network, not to the file system
        abstract = socket.socket(socket.AF_UNIX)
        abstract.bind(f"\0{PREFIX}{secret[:8]}")
        abstract.listen()
        yield abstract


def _note_callers(listener: socket.socket, callers: list[str]) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            connection.close()
            callers.append(f"something called the host's {listener.family.name} listener")


def _states() -> dict[Path, str]:
    """What stands in the kept parts of the cache: of each file its mode and the hash of its content, or, where that
    would take long, its size and the time of its last change. Locks are left out: other grades renew them.
    """
    return {path: _state(path) for path in _files()}


def _files() -> Iterator[Path]:
    for part in KEPT:
        for parent, _, files in os.walk(cache_root() / part):
            yield from (
                path
                for name in files
                if (path := Path(parent, name)).suffix not in RENEWED and name != "manifest.json"
            )


def _state(path: Path) -> str:
    """Gone meanwhile: the cache was tidied up, which is no harm."""
    try:
        info = path.lstat()
        if stat.S_ISREG(info.st_mode) and info.st_size > READ_WHOLE:
            return f"{info.st_mode:o} {info.st_size} {info.st_mtime_ns}"
        content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        return f"{info.st_mode:o} {hashlib.sha256(content).hexdigest()}"
    except OSError:
        return "gone"
