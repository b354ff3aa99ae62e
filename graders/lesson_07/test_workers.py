"""Workers that are killed, held up and stopped: what they have in hand is done once, by whoever is left."""

import pytest

from graders.check import check
from graders.probes.ahead import Beside, begin


@check("worker-killed", needs=["done-once"])
def test_killed(shifts: Beside, request: pytest.FixtureRequest) -> None:
    """A worker that is killed in the middle loses nothing and doubles nothing: another one takes over."""
    begin(request, "dying")
    shifts.judge("worker-killed")


@check("kinds-apart", needs=["done-once"])
def test_apart(shifts: Beside) -> None:
    """A mail server that hangs holds up no charge and no report, and not every other mail."""
    shifts.judge("kinds-apart")


@check("shutdown-clean", needs=["done-once"])
def test_shutdown(shifts: Beside) -> None:
    """A worker that is asked to stop ends what it has in hand, takes on nothing new, and gives back what takes too long."""
    shifts.judge("shutdown-clean")
