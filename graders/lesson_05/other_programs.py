"""Writes with SQL, as a nightly import makes them: the tables take rows with the columns of CONTRACT.md."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from graders.check import Failure
from graders.probes.postgres import psql

EXAMPLE = (
    "INSERT INTO invoices (tenant_id, customer_id, number, currency, total_cents) "
    "SELECT tenant_id, id, 'IMPORT-1', 'EUR', 700 FROM customers WHERE id = 1"
)

SERVER_STOPS = "57P"


@contextmanager
def refused_rows_are_failures() -> Iterator[None]:
    """A row of the promised columns that the submission's schema refuses is the submission's fault.

    Triggers of its own may refuse with any error, or not end at all. A server that stops has its own class of errors.
    """
    try:
        yield
    except psycopg.Error as refusal:
        if (refusal.sqlstate or SERVER_STOPS).startswith(SERVER_STOPS):
            raise
        raise Failure(
            expected="The table invoices takes rows from other programs, with the columns that CONTRACT.md names.",
            got=str(refusal).strip(),
            because="The nightly import and the bank's bookings write to this table without asking the service.",
            did=psql(EXAMPLE),
        ) from None
