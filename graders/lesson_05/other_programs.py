"""Writes with SQL, as the nightly import makes them: the tables must take rows with the columns of CONTRACT.md."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from graders.check import Failure


@contextmanager
def refused_rows_are_failures() -> Iterator[None]:
    """A row of the promised columns that the submission's schema refuses is the submission's fault."""
    try:
        yield
    except (psycopg.errors.IntegrityError, psycopg.errors.ProgrammingError, psycopg.errors.DataError) as refusal:
        raise Failure(
            expected="the table invoices takes rows from other programs, with the columns that CONTRACT.md names",
            got=str(refusal).strip(),
            because="The nightly import and the bank's bookings write to this table without asking the service.",
            did="psql: INSERT INTO invoices (tenant_id, customer_id, number, status, currency, total_cents) VALUES (...);",
        ) from None
