"""Waiting for what was promised: asked again and again, with a bound that no slow machine reaches."""

import time
from collections.abc import Callable

SECONDS = 30.0
PAUSE = 0.05


def eventually(true: Callable[[], bool], seconds: float = SECONDS) -> bool:
    """Whether it comes true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not (so := true()) and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return so
