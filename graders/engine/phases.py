"""The parts of a grade, timed and told."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from graders.engine.channel import Channel
from graders.reports.model import Phase


class Phases:
    """Times the parts of a grade and tells the channel of each. `done` begins with those of an earlier process."""

    def __init__(self, channel: Channel, done: Sequence[Phase] = ()) -> None:
        self._channel = channel
        self.done = [*done]

    @contextmanager
    def __call__(self, name: str, *, learner: bool = False) -> Iterator[None]:
        self._channel.phase_started(name)
        started = time.monotonic()
        try:
            yield
        finally:
            phase = Phase(name, round(time.monotonic() - started, 3), learner)
            self.done.append(phase)
            self._channel.phase_ended(phase)
