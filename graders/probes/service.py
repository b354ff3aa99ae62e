"""What a check may do with the submission's processes: release again, serve another database, start, signal and measure."""

import signal
from collections.abc import Mapping, Sequence
from typing import Protocol


class ReleaseRun(Protocol):
    """A `release` process under way on one database."""

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""

    def wait(self, seconds: float) -> int:
        """The exit code. Past the bound the process is stopped and a Failure raised."""

    def output(self) -> str:
        """What it has printed so far (capped)."""


class Printed(Protocol):
    """What the submission's processes print, a line as soon as it has come."""

    def mark(self) -> int:
        """Where it ends now, for `since`."""

    def since(self, mark: int) -> list[str]:
        """The lines printed after that place; of very many, the last ones."""


class Process(Protocol):
    """One process of the submission's, with all that it started."""

    @property
    def url(self) -> str:
        """Where a `web` answers, and with telemetry a `worker`; else empty."""

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its process group, as an operator would."""

    def kill(self) -> None:
        """End it at once, as a machine that loses its power would; it is gone afterwards."""

    def ended_within(self, seconds: float) -> int | None:
        """Its exit code as soon as it has ended; None when it still runs after `seconds`."""

    def resident(self) -> int:
        """Bytes of physical memory that it holds. Raises CannotJudge when it is gone."""


class Service(Protocol):
    """The submission, able to run on any database of the dataset."""

    def release(self, database: str) -> ReleaseRun:
        """Start the submission's `release` process on `database`."""

    def web(self, database: str, instance: int = 1) -> str:
        """The base URL of a `web` process of the submission on `database`, ready; started once and kept to the end.

        Instances of one database are several processes beside each other, as behind a load balancer.
        """


class Operated(Service, Protocol):
    """The submission, with its processes in the hands of the check."""

    def start(
        self,
        kind: str,
        environment: Mapping[str, str] | None = None,
        database: str = "billing",
        *,
        awaited: bool = True,
    ) -> Process:
        """Start one more process of a type of the Procfile's; a `web` is ready then, if that is `awaited`. Raises Failure.

        environment: variables of CONTRACT.md that it gets otherwise than the others.
        """

    def await_ready(self, web: Process) -> None:
        """Wait until a `web` that was not awaited at its start is ready to serve. Raises Failure."""

    def processes(self, kind: str) -> Sequence[Process]:
        """Those of the type that run now, the oldest first. Whatever of a type was started at the beginning is there."""
