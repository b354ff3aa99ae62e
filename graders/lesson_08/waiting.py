"""Waiting for what was promised within seconds: asked again and again, with a bound that no slow machine reaches."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

SECONDS = 20.0
SHORTEST, LONGEST = (
    0.01,
    0.16,
)  # seconds between two looks: what comes soon is seen soon, what takes long is asked for less often


def until(
    look: Callable[[], Found],
    wanted: Callable[[Found], bool],
    seconds: float = SECONDS,
    *,
    pause: float = SHORTEST,
) -> Found:
    """What was found first that is wanted; after `seconds`, what was found last. pause: before the second look."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if wanted(found) or time.monotonic() > deadline:
            return found
        time.sleep(pause)
        pause = min(pause * 2, LONGEST)
