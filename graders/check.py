"""The words of a grader: check, Failure, verdicts. Ground floor: imports nothing of the kit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn, ParamSpec, TypeVar

Verdict = Literal["pass", "fail", "ungraded", "skipped"]

P = ParamSpec("P")
R = TypeVar("R")

MARK = "__octo_check__"


@dataclass(frozen=True)
class CheckMark:
    """What `@check` notes on a test function: its stable id and the checks that must pass before it."""

    id: str
    needs: tuple[str, ...]


def check(id: str, *, needs: Sequence[str] = ()) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a test function as the check `id`. Points, criterion and hints stand in lab.toml under that id."""

    def mark(function: Callable[P, R]) -> Callable[P, R]:
        setattr(function, MARK, CheckMark(id, tuple(needs)))
        return function

    return mark


class Failure(Exception):
    """The submission broke a promise. The three parts a check must say; the plugin adds the other three.

    expected: what was promised, in the learner's words.
    got: what came back instead, first difference marked; several lines are welcome.
    because: why it matters to people who run such a service.
    did: how to see it oneself, as a line that runs as pasted; left out, the last recorded request stands here.
    during: from when to when it happened, in seconds on the monotonic clock, where that was before the check; the
    worker's log of that time is shown then.
    """

    during: tuple[float, float] | None = None

    def __init__(self, *, expected: str, got: str, because: str, did: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.got = got
        self.because = because
        self.did = did


class CannotJudge(Exception):
    """The kit or the machine failed while a check ran: the verdict is `ungraded`, never the learner's loss."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


def fail(*, expected: str, got: str, because: str, did: str = "") -> NoReturn:
    """Raise a Failure; reads as a sentence at the end of a check."""
    raise Failure(expected=expected, got=got, because=because, did=did)


def expect(truth: bool, *, expected: str, got: str, because: str, did: str = "") -> None:
    """Fail with these words unless `truth` holds."""
    if not truth:
        raise Failure(expected=expected, got=got, because=because, did=did)
