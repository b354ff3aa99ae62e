"""When another try is worth it, and how long to wait for it: ever longer, and never all at the same moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# What can come back from an upstream that is no success. `refused` is its lasting no.
Trouble = Literal["no-answer", "408", "429", "5xx", "refused"]


class UpstreamFailed(Exception):
    """A try that came to nothing, and why."""

    def __init__(self, trouble: Trouble, detail: str) -> None:
        super().__init__(detail)
        self.trouble = trouble


@dataclass(frozen=True)
class RetryPolicy:
    """One table of `queues.toml`; `growth`, `jitter` and `most` as explained there."""

    attempts: int
    growth: float
    jitter: float
    most: float
    retried: Sequence[Trouble]

    def another_try(self, attempts: int, trouble: Trouble) -> bool:
        """Whether to try again after that many attempts."""
        return trouble in self.retried and attempts < self.attempts

    def wait(self, attempts: int, drawn: float) -> float:
        """How long to wait after the attempt of that number, in units; `drawn` from 0 to 1 is chance's part."""
        longest = min(self.growth ** (attempts - 1), self.most)
        return longest * (1 - self.jitter * drawn)
