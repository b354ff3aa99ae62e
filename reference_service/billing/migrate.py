"""The process `release`: it ends with 0 only when the schema is current.

python -m billing.migrate            apply whatever is not applied yet
python -m billing.migrate --to 0003  the same, but nothing after 0003
"""

import argparse
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

from billing.config import EXIT_CONFIG, EXIT_UNAVAILABLE, ConfigFaults, release_config
from billing.operations.logs import log_as_json
from billing.storage.ledger import AnotherRelease, LedgerDisagrees, lock, pending
from billing.storage.migration_files import BadMigrationFile, Migration, read_folder
from billing.storage.migrations import MigrationFailed, apply

EXIT_REFUSED = 1
EXIT_TRY_LATER = 75  # EX_TEMPFAIL of sysexits.h
FOLDER = Path(__file__).parent.parent / "migrations"
SECONDS_TO_WAIT_FOR_ANOTHER_RELEASE = 60.0

log = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> int:
    log_as_json("info")
    try:
        config = release_config(os.environ)
        log_as_json(config.log_level)
        migrations = read_folder(FOLDER)
        with _connect(config.database_url) as connection:
            _migrate(connection, migrations, _last_version(arguments, migrations))
    except ConfigFaults as refusal:
        log.error("%s", refusal, extra={"fields": {"faults": refusal.faults}})
        return EXIT_CONFIG
    except (BadMigrationFile, LedgerDisagrees, MigrationFailed) as refusal:
        log.error("%s", refusal)
        return EXIT_REFUSED
    except AnotherRelease as refusal:
        log.error("%s", refusal)
        return EXIT_TRY_LATER
    except psycopg.OperationalError as trouble:
        log.error("postgres does not serve: %s", trouble)
        return EXIT_UNAVAILABLE
    except psycopg.Error as trouble:
        log.error("postgres refuses: %s", trouble)
        return EXIT_REFUSED
    return 0


def _migrate(connection: psycopg.Connection, migrations: list[Migration], last: int) -> None:
    lock(connection, SECONDS_TO_WAIT_FOR_ANOTHER_RELEASE)
    waiting = [migration for migration in pending(connection, migrations) if migration.version <= last]
    for migration in waiting:
        started = time.perf_counter()
        apply(connection, migration)
        seconds = round(time.perf_counter() - started, 3)
        log.info("applied", extra={"fields": {"migration": migration.name, "seconds": seconds}})
    log.info("schema is current", extra={"fields": {"version": last, "applied": len(waiting)}})


def _connect(database_url: str) -> psycopg.Connection:
    """No statement_timeout here: a build on a large table takes as long as it takes."""
    options = "-c statement_timeout=0 -c client_min_messages=warning"
    return psycopg.connect(
        database_url, autocommit=True, connect_timeout=10, application_name="billing-release", options=options
    )


def _last_version(arguments: Sequence[str], migrations: list[Migration]) -> int:
    versions = [migration.version for migration in migrations]
    parser = argparse.ArgumentParser(
        prog="python -m billing.migrate", description="Bring the schema up to date."
    )
    parser.add_argument(
        "--to", type=int, choices=versions, default=max(versions), help="the last version to apply"
    )
    last: int = parser.parse_args(arguments).to
    return last


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
