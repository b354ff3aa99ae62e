"""Waiting for what was promised within seconds: asked again and again, with a bound that no slow machine reaches."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

SECONDS = 20.0
PAUSE = 0.08


def until(look: Callable[[], Found], wanted: Callable[[Found], bool], seconds: float = SECONDS) -> Found:
    """What was found first that is wanted; after `seconds`, what was found last."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if wanted(found) or time.monotonic() > deadline:
            return found
        time.sleep(PAUSE)
