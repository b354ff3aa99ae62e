"""The database itself knows what was done to its schema, and one release at a time does it."""

import time

from psycopg import Connection

from billing.storage.migration_files import Migration

# Any number will do, as long as it is this one wherever the schema is changed.
ADVISORY_LOCK = 5_207_143_700_114
SECONDS_BETWEEN_TRIES = 0.2


class AnotherRelease(Exception):
    """Another release has held the lock for as long as we would wait."""


class LedgerDisagrees(Exception):
    """What was applied to the database is not what the folder says; the text says where."""


def lock(connection: Connection, seconds: float) -> None:
    """Take the release lock; it is held until the connection closes. Raises AnotherRelease after `seconds`.

    It asks again and again instead of waiting inside Postgres: a SELECT that waits holds a snapshot, and the
    other release's CREATE INDEX CONCURRENTLY waits for all older snapshots. They would wait for each other.
    """
    deadline = time.monotonic() + seconds
    while not _try_lock(connection):
        if time.monotonic() > deadline:
            raise AnotherRelease(f"Another release has been running for {seconds:.0f} seconds.")
        time.sleep(SECONDS_BETWEEN_TRIES)


def pending(connection: Connection, migrations: list[Migration]) -> list[Migration]:
    """The migrations still to apply, in order. Raises LedgerDisagrees."""
    connection.execute("""
        CREATE TABLE IF NOT EXISTS schema_migrations (
            version    integer PRIMARY KEY,
            name       text NOT NULL,
            checksum   text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
    """)
    rows = connection.execute(
        "SELECT version, name, checksum FROM schema_migrations ORDER BY version"
    ).fetchall()
    known = {migration.version: migration for migration in migrations}
    for version, name, checksum in rows:
        if version not in known:
            raise LedgerDisagrees(f"{name} was applied to this database, but it is not in the folder.")
        if checksum != known[version].checksum:
            raise LedgerDisagrees(f"{name} was changed after it was applied. Put it back; write a new file.")
    applied = {version for version, _, _ in rows}
    waiting = [migration for migration in migrations if migration.version not in applied]
    if waiting and applied and waiting[0].version < max(applied):
        raise LedgerDisagrees(
            f"{waiting[0].name} comes before what was applied already. Give it a new number."
        )
    return waiting


def record(connection: Connection, migration: Migration) -> None:
    query = "INSERT INTO schema_migrations (version, name, checksum) VALUES (%s, %s, %s)"
    connection.execute(query, (migration.version, migration.name, migration.checksum))


def _try_lock(connection: Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (ADVISORY_LOCK,)).fetchone()
    return bool(row and row[0])
