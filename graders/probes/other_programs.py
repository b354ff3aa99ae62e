"""What other programs do in the database goes as CONTRACT.md promises, or the submission has failed."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg

from graders.check import Failure
from graders.probes.postgres import psql

SERVER_STOPS = "57P"


@contextmanager
def refusals_are_failures(expected: str, because: str, did: str) -> Iterator[None]:
    """A statement that the submission's schema refuses is the submission's fault.

    Triggers of its own may refuse with any error, or not end at all. A server that stops has its own class of errors.
    """
    try:
        yield
    except psycopg.Error as refusal:
        if (refusal.sqlstate or SERVER_STOPS).startswith(SERVER_STOPS):
            raise
        raise Failure(expected=expected, got=str(refusal).strip(), because=because, did=did) from None


def asked_by_others() -> AbstractContextManager[None]:
    """Statements on the promised tables that fail are the submission's fault, unless the server itself stops."""
    return refusals_are_failures(
        expected="The tables and columns of CONTRACT.md are there, and other programs read and write their rows.",
        because="Other programs read and write these tables by day: CONTRACT.md, The database.",
        did=psql(r"\d"),
    )
