"""What a check may do with the submission's processes: release again, serve another database."""

from typing import Protocol


class ReleaseRun(Protocol):
    """A `release` process under way on one database."""

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""

    def wait(self, seconds: float) -> int:
        """The exit code. Past the bound the process is stopped and a Failure raised."""

    def output(self) -> str:
        """What it has printed so far (capped)."""


class Service(Protocol):
    """The submission, able to run on any database of the dataset."""

    def release(self, database: str) -> ReleaseRun:
        """Start the submission's `release` process on `database`."""

    def web(self, database: str, instance: int = 1) -> str:
        """The base URL of a `web` process of the submission on `database`, ready; started once and kept to the end.

        Instances of one database are several processes beside each other, as behind a load balancer.
        """
