"""The incident drill: the runbook's steps are followed over four nights, and end at what was the matter."""

from collections.abc import Callable, Mapping, Sequence

import pytest

from graders.check import check, expect
from graders.lesson_08.drill import Night
from graders.lesson_08.runbook import PATH, Step, follow, read

Document = Callable[[str], str | None]
Nights = Mapping[str, Night]


@pytest.fixture
def steps(document: Document) -> Sequence[Step]:
    return read(document(PATH))


@check("runbook-read")
def test_read(document: Document) -> None:
    """The runbook has steps that can be followed: each looks at one number and says where to go on."""
    read(document(PATH))


@check("runbook-healthy", needs=["runbook-read", "requests-counted", "queue-measured", "upstream-measured"])
def test_healthy(steps: Sequence[Step], four_nights: Nights) -> None:
    """On a night on which nothing is the matter, the runbook ends at `healthy`."""
    _expect_end(steps, four_nights, "healthy")


@check("runbook-upstream", needs=["runbook-read", "requests-counted", "queue-measured", "upstream-measured"])
def test_upstream(steps: Sequence[Step], four_nights: Nights) -> None:
    """On a night on which the payment provider fails, the runbook ends at `upstream`."""
    _expect_end(steps, four_nights, "upstream")


@check("runbook-backlog", needs=["runbook-read", "requests-counted", "queue-measured", "upstream-measured"])
def test_backlog(steps: Sequence[Step], four_nights: Nights) -> None:
    """On a night on which nobody does the jobs, the runbook ends at `backlog`."""
    _expect_end(steps, four_nights, "backlog")


@check(
    "runbook-deployment", needs=["runbook-read", "requests-counted", "queue-measured", "upstream-measured"]
)
def test_deployment(steps: Sequence[Step], four_nights: Nights) -> None:
    """On a night on which the new version fails, the runbook ends at `deployment`."""
    _expect_end(steps, four_nights, "deployment")


def _expect_end(steps: Sequence[Step], nights: Nights, cause: str) -> None:
    night = nights[cause]
    walk = follow(steps, night.window)
    expect(
        walk.end == cause,
        expected=f"{night.story} The runbook ends at `{cause}`.",
        got="\n".join([f"the runbook ends at `{walk.end}`, not at `{cause}`", *walk.lines]),
        because="A runbook that names the wrong cause is worse than none: now somebody mends what is not broken.",
        did=f"cat work/lesson-08/{PATH}",
    )
