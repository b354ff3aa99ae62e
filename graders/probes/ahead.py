"""What takes long is begun ahead, while other checks run: a fixture that a later check asks for, or whole scenarios."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress

import pytest

from graders.check import MARK, CannotJudge, Failure


def selected(request: pytest.FixtureRequest, id: str) -> bool:
    """Whether the check is among those of this grade."""
    marks = (getattr(getattr(item, "function", None), MARK, None) for item in request.session.items)
    return any(mark is not None and mark.id == id for mark in marks)


def begin(request: pytest.FixtureRequest, name: str) -> None:
    """Have the session's fixture now, if any check that was selected asks for it: what it begins takes a while, which passes
    during the check that runs now. What is wrong with it is told by whoever asks: pytest raises it there again.
    """
    if any(name in getattr(item, "fixturenames", ()) for item in request.session.items):
        with suppress(Failure, CannotJudge):
            request.getfixturevalue(name)


class Beside:
    """Scenarios that follow each other in a thread of their own, and then `last`. A check judges each when it is over.

    step: what was last done in the thread, as a line that repeats it.
    """

    def __init__(
        self, scenarios: Mapping[str, Callable[[], None]], last: Callable[[], None], step: Callable[[], str]
    ) -> None:
        self._scenarios = scenarios
        self._last = last
        self._step = step
        self._ends: dict[str, Future[None]] = {id: Future() for id in scenarios}
        # A daemon: where a check used up its time, the grade ends before the thread does.
        threading.Thread(target=self._run, daemon=True, name="beside the checks").start()

    def judge(self, id: str) -> None:
        """Wait for the end of the scenario. Raises what it raised."""
        self._ends[id].result()

    def _run(self) -> None:
        ends = list(self._ends.items())
        for number, (id, end) in enumerate(ends, 1):
            error = self._played(self._scenarios[id])
            if number == len(ends):  # nobody hears of the end while anything of these scenarios goes on
                error = self._played(self._last) or error
            if error:
                end.set_exception(error)
            else:
                end.set_result(None)

    def _played(self, scenario: Callable[[], None]) -> BaseException | None:
        """What it raised."""
        began = time.monotonic()
        try:
            scenario()
        except Failure as failure:
            failure.did = failure.did or self._step()
            failure.during = began, time.monotonic()
            return failure
        except BaseException as error:
            return error
        return None
