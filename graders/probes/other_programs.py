"""What other programs do in the database goes as CONTRACT.md promises, or the submission has failed."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, LiteralString

import psycopg

from graders.check import Failure, expect
from graders.probes.postgres import Postgres, psql

SERVER_STOPS = "57P"
EXPECTED = "The tables and columns of CONTRACT.md are there, and other programs read and write their rows."
BECAUSE = "Other programs read and write these tables by day: CONTRACT.md, The database."
DID = psql(r"\d")


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
    return refusals_are_failures(EXPECTED, BECAUSE, DID)


def written(
    postgres: Postgres, sql: LiteralString, parameters: Sequence[object] = ()
) -> list[tuple[Any, ...]]:
    """What a statement of another program's returns: with RETURNING, the rows that it has written.

    Raises Failure where the tables refuse it, and where something lets them be dropped without a word.
    """
    with asked_by_others():
        rows = postgres.write(sql, parameters)
    expect(
        bool(rows) or "RETURNING" not in sql,
        expected=EXPECTED,
        got=f"no row came of: {' '.join(sql.split())}",
        because=BECAUSE,
        did=DID,
    )
    return rows
