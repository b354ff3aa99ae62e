"""Waiting for what was promised within seconds: asked again and again, with a bound that no slow machine reaches."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

SECONDS = 20.0
# Between two looks, from the shortest on, each twice the last: what comes soon is seen soon, what takes long costs little.
PAUSES = (0.01, 0.16)
EVENLY = (0.08, 0.08)


def until(
    look: Callable[[], Found],
    wanted: Callable[[Found], bool],
    seconds: float = SECONDS,
    *,
    pauses: tuple[float, float] = PAUSES,
) -> Found:
    """What was found first that is wanted; after `seconds`, what was found last."""
    deadline = time.monotonic() + seconds
    pause, longest = pauses
    while True:
        found = look()
        if wanted(found) or time.monotonic() > deadline:
            return found
        time.sleep(pause)
        pause = min(pause * 2, longest)
