"""Writes with SQL, as a nightly import makes them: the tables take rows with the columns of CONTRACT.md."""

from contextlib import AbstractContextManager

from graders.probes.other_programs import refusals_are_failures
from graders.probes.postgres import psql

EXAMPLE = (
    "INSERT INTO invoices (tenant_id, customer_id, number, currency, total_cents) "
    "SELECT tenant_id, id, 'IMPORT-1', 'EUR', 700 FROM customers WHERE id = 1"
)


def refused_rows_are_failures() -> AbstractContextManager[None]:
    """A row of the promised columns that the submission's schema refuses is the submission's fault."""
    return refusals_are_failures(
        expected="The table invoices takes rows from other programs, with the columns that CONTRACT.md names.",
        because="The nightly import and the bank's bookings write to this table without asking the service.",
        did=psql(EXAMPLE),
    )
