"""Writes with SQL, as a nightly import makes them: the tables take rows with the columns of CONTRACT.md."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.errors import DataError, IntegrityError, ProgrammingError

from graders.check import Failure
from graders.probes.postgres import psql

EXAMPLE = (
    "INSERT INTO invoices (tenant_id, customer_id, number, currency, total_cents) "
    "SELECT tenant_id, id, 'IMPORT-1', 'EUR', 700 FROM customers WHERE id = 1"
)


@contextmanager
def refused_rows_are_failures() -> Iterator[None]:
    """A row of the promised columns that the submission's schema refuses is the submission's fault."""
    try:
        yield
    except (IntegrityError, ProgrammingError, DataError) as refusal:
        raise Failure(
            expected="The table invoices takes rows from other programs, with the columns that CONTRACT.md names.",
            got=str(refusal).strip(),
            because="The nightly import and the bank's bookings write to this table without asking the service.",
            did=psql(EXAMPLE),
        ) from None
