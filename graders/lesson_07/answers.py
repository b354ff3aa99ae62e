"""Answers and refusals by name: what is said of a failure begins with what it is about, since some screens have one line."""

from collections.abc import Iterator
from contextlib import contextmanager

from graders.check import Failure, expect
from graders.probes.api import Answer


def seen(what: str, answer: Answer) -> str:
    """What came, for `got`. what: of which call, in a few words."""
    return f"{what}: {answer.summary()}"


def with_status(answer: Answer, status: int, what: str, because: str, did: str = "") -> Answer:
    """This answer, if it has the status. Raises Failure."""
    expect(
        answer.status == status,
        expected=f"{what}: status {status}.",
        got=seen(what, answer),
        because=because,
        did=did or answer.did,
    )
    return answer


@contextmanager
def named(what: str, because: str, did: str) -> Iterator[None]:
    """A call in the body that is not answered fails under this name. What has a name already keeps it."""
    try:
        yield
    except Failure as failure:
        if not failure.got.startswith(what):
            failure.got = f"{what}: {failure.got}"
            failure.expected = f"{what}: {failure.expected}"
        failure.because, failure.did = because, did
        raise
