"""One server process: spawned at once, awaited later, stopped for certain. Of any kind."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from compose import processes
from compose.identity import Identity
from compose.last_words import last_words, remedy_for
from compose.spawning import environment, parent_death
from compose.stores import StoresFailed

READY_WITHIN = 60.0
STOP_WITHIN = 2.0
PORTS_TO_TRY = 3


@dataclass(frozen=True)
class Recipe:
    """How one server is started on a port, and how it is known to be ready.

    command: writes the configuration for a port and returns the arguments; no password stands in them.
    ready: tries to talk to the server on a port; None while it is not ready yet, else its version.
    logs: the files it writes to, for the last lines when it does not come up. The first gets its output.
    gentle_stop, stop_within: the signal that ends it, and the seconds it may take before SIGKILL.
    orphaned: the signal that it gets from the kernel when we die.
    """

    name: str
    command: Callable[[int], list[str]]
    ready: Callable[[int], str | None]
    cwd: Path
    logs: tuple[Path, ...]
    identity: Identity
    gentle_stop: signal.Signals
    orphaned: signal.Signals
    stop_within: float = STOP_WITHIN


@dataclass
class Server:
    """A server. `port` may change until `await_ready` returns: another process may take the first one."""

    recipe: Recipe
    ports: Iterator[int]
    record: Callable[[int], None]
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def spawn(self) -> None:
        """Start the process, in a session of its own, on the next port."""
        self.port = next(self.ports)
        arguments = [*parent_death(self.recipe.orphaned), *self.recipe.command(self.port)]
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
        """Wait until it answers; return its version. Raises StoresFailed with the server's own last words."""
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
        words = self._last_words()
        return StoresFailed(f"{self.recipe.name} {what}.", remedy_for(words), words)

    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def _lost_the_port(self) -> bool:
        return "already in use" in self._last_words()

    def _last_words(self) -> str:
        """Postgres is dead before its logger has written everything down: that one is waited for."""
        if not self.alive():
            processes.remaining(processes.servers_in(self.recipe.cwd), processes.PATIENCE)
        return last_words(self.recipe.logs)

    def _gone_within(self, seconds: float) -> None:
        assert self.process is not None
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
