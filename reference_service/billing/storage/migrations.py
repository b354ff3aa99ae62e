"""A migration is applied whole and recorded with it; one that can't be in a transaction can be run again."""

from contextlib import nullcontext

import psycopg
from psycopg import Connection
from psycopg.pq import TransactionStatus

from billing.storage.ledger import record
from billing.storage.migration_files import Migration
from billing.storage.sql_statements import Statement

# A change of a table waits for its lock, and whoever comes later waits behind it. So it waits only briefly.
# A concurrent build stands in nobody's way while it waits for the transactions that were there before it.
LOCK_TIMEOUT = "5s"
LOCK_TIMEOUT_WITHOUT_TRANSACTION = "60s"

INVALID_INDEXES = """
    SELECT pg_class.relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE NOT indisvalid AND relnamespace = current_schema()::regnamespace ORDER BY 1
"""


class MigrationFailed(Exception):
    """A migration did not go through; the text names the file, the statement and what Postgres said."""


def apply(connection: Connection, migration: Migration) -> None:
    """Apply and record one migration on an autocommit connection. Raises MigrationFailed."""
    lock_timeout = LOCK_TIMEOUT if migration.in_transaction else LOCK_TIMEOUT_WITHOUT_TRANSACTION
    connection.execute("SELECT set_config('lock_timeout', %s, false)", (lock_timeout,))
    with connection.transaction() if migration.in_transaction else nullcontext():
        for number, statement in enumerate(migration.statements, 1):
            _execute(connection, migration, number, statement)
        if not migration.in_transaction:
            _refuse_leftovers(connection, migration)
        record(connection, migration)


def _execute(connection: Connection, migration: Migration, number: int, statement: Statement) -> None:
    place = f"{migration.name}, statement {number} (line {statement.line}: {statement.headline()})"
    try:
        connection.execute(statement.text.encode())
    except psycopg.Error as trouble:
        raise MigrationFailed(f"{place}: {_words(trouble)} {_aftermath(migration, trouble)}") from trouble
    if migration.in_transaction and connection.info.transaction_status != TransactionStatus.INTRANS:
        raise MigrationFailed(
            f"{place}: a migration must not end its own transaction. Take this statement out."
        )


def _words(trouble: psycopg.Error) -> str:
    said = [trouble.diag.message_primary, trouble.diag.message_detail, trouble.diag.message_hint]
    return " ".join(f"{part.rstrip('.')}." for part in said if part) or f"{trouble}."


def _aftermath(migration: Migration, trouble: psycopg.Error) -> str:
    """What state the failure left, and what to do."""
    if not migration.in_transaction:
        return "What came before it in this file stands. Once it is mended, the whole file runs again."
    if isinstance(trouble, psycopg.errors.ActiveSqlTransaction):
        return "Nothing of this file was kept. To run outside one, it begins with: -- migrate: no-transaction"
    if isinstance(trouble, psycopg.errors.LockNotAvailable):
        return (
            f"Somebody held a lock for {LOCK_TIMEOUT}. Nothing of this file was kept; run the release again."
        )
    return "Nothing of this file was kept."


def _refuse_leftovers(connection: Connection, migration: Migration) -> None:
    """What a file outside of a transaction may leave behind without an error of Postgres."""
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise MigrationFailed(f"{migration.name} begins a transaction and never commits it.")
    # CREATE INDEX CONCURRENTLY IF NOT EXISTS is content with an invalid index of that name.
    names = [name for (name,) in connection.execute(INVALID_INDEXES)]
    if names:
        raise MigrationFailed(
            f"{migration.name} left invalid indexes: {', '.join(names)}. They cost writes and serve no read."
            " Before each CREATE INDEX CONCURRENTLY put: DROP INDEX CONCURRENTLY IF EXISTS name;"
        )
