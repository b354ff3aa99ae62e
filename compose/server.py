"""One server process: spawned at once, awaited later, stopped for certain. What it serves stands in `postgres` and `valkey`."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from compose import processes
from compose.disk import REMEDY as FULL_DISK
from compose.identity import Identity
from compose.stores import StoresFailed

READY_WITHIN = 60.0
STOP_WITHIN = 2.0
PORTS_TO_TRY = 3
TAIL = 15

NEVER_UP = (
    "Run the command again. If it happens again, `octo_lab doctor` says what is missing on this machine."
)

REMEDIES = {
    "No space left on device": FULL_DISK,
    "Permission denied": "Let octo_lab keep its data where it wants to (unset OCTO_LAB_CACHE), "
    "or choose a directory that every user can pass through.",
    "Cannot allocate memory": "Close other programs: the servers need about 300 MB of memory.",
}


@dataclass(frozen=True)
class Recipe:
    """How one server is started on a port, and how it is known to be ready.

    command: writes the configuration for a port and returns the arguments; no password stands in them.
    ready: tries to talk to the server on a port; None while it is not ready yet, else its version.
    logs: the files it writes to, for the last lines when it does not come up. The first gets its output.
    """

    name: str
    command: Callable[[int], list[str]]
    ready: Callable[[int], str | None]
    cwd: Path
    logs: tuple[Path, ...]
    identity: Identity
    gentle_stop: signal.Signals = signal.SIGQUIT
    stop_within: float = STOP_WITHIN


@dataclass
class Server:
    """A spawned server. `port` may change until `await_ready` returns: another process may take the first one."""

    recipe: Recipe
    ports: Iterator[int]
    record: Callable[[int], None]
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def spawn(self) -> None:
        """Start the process, in a session of its own, on the next port."""
        self.port = next(self.ports)
        arguments = self.recipe.command(self.port)
        with self.recipe.logs[0].open("ab") as output:
            self.process = subprocess.Popen(
                arguments,
                cwd=self.recipe.cwd,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                umask=0o077,
                **self.recipe.identity.process(),
            )
        self.record(self.process.pid)

    def await_ready(self, seconds: float = READY_WITHIN) -> str:
        """Wait until it answers, and return its version. Raises StoresFailed with the server's own last words."""
        deadline = time.monotonic() + seconds
        pause = 0.002
        tries = 1
        while (version := self.recipe.ready(self.port)) is None:
            if not self.alive():
                if not self._lost_the_port() or tries == PORTS_TO_TRY:
                    raise self.failure("stopped while it was starting")
                tries += 1
                self.spawn()
            elif time.monotonic() > deadline:
                raise self.failure(f"did not answer within {seconds:.0f} s")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.05)
        return version

    def stop(self) -> None:
        """End the server and its children: gently, and after a short while for certain."""
        if self.process is None:
            return
        family = processes.family(self.process.pid)
        if self.alive():
            self.process.send_signal(self.recipe.gentle_stop)
            self._gone_within(self.recipe.stop_within)
        else:
            family = processes.servers_in(self.recipe.cwd)
        processes.end(family)
        self.process.wait()

    def stopped_cleanly(self) -> bool:
        """Whether the server ended by itself and without an error."""
        return self.process is not None and self.process.returncode == 0

    def failure(self, what: str) -> StoresFailed:
        """What to raise when the server did `what` instead of serving."""
        words = self.last_words()
        return StoresFailed(f"{self.recipe.name} {what}.", remedy_for(words), words)

    def last_words(self) -> str:
        """The last lines that the server wrote, its log and its output together."""
        lines = [line for log in self.recipe.logs for line in _lines(log)]
        return "\n".join(lines[-TAIL:])

    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def _lost_the_port(self) -> bool:
        return "already in use" in self.last_words()

    def _gone_within(self, seconds: float) -> None:
        assert self.process is not None
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)


def remedy_for(words: str) -> str:
    """What to do about a server that said `words` and did not come up."""
    return next((remedy for sign, remedy in REMEDIES.items() if sign in words), NEVER_UP)


def environment() -> dict[str, str]:
    """The environment of a server: nothing of ours but where its libraries are. LC_ALL: Postgres on macOS needs one."""
    kept = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {
        "PATH": os.defpath,
        "LC_ALL": "C",
        **{name: os.environ[name] for name in kept if name in os.environ},
    }


def _lines(log: Path) -> list[str]:
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        return [_plain(line) for line in file.read().decode(errors="replace").splitlines() if line.strip()]


def _plain(line: str) -> str:
    """A line of Postgres' JSON log as text; any other line as it is."""
    if not line.startswith("{"):
        return line
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    parts = (entry.get(key) for key in ("error_severity", "message", "detail", "hint"))
    return ": ".join(str(part) for part in parts if part)
