"""Waiting for what was promised: asked again and again, with a bound that no slow machine reaches."""

import time
from collections.abc import Callable

SECONDS = 30.0
PAUSE = 0.05


def settled(count: Callable[[], int], still: float = 1.0, seconds: float = 10.0) -> None:
    """Wait until it has stayed the same for `still` seconds, and at most for `seconds`."""
    last, changed = count(), time.monotonic()
    end = changed + seconds
    while time.monotonic() < min(end, changed + still):
        time.sleep(PAUSE)
        if (now := count()) != last:
            last, changed = now, time.monotonic()


def eventually(true: Callable[[], bool], seconds: float = SECONDS) -> bool:
    """Whether it comes true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not (so := true()) and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return so
