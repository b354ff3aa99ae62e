"""What was done to the service in the course of one check, as lines that a learner can paste."""

from collections import deque

KEPT = 3


class Transcript:
    """The last few steps of the running check. The plugin clears it before each check."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=KEPT)

    def did(self, line: str) -> None:
        """Record one step, as the command that repeats it."""
        self._lines.append(line)

    def clear(self) -> None:
        self._lines.clear()

    def last(self) -> str:
        """The most recent step, or an empty string."""
        return self._lines[-1] if self._lines else ""
