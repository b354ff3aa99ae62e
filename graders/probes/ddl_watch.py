"""Which locks a migration still held on a table when each of its statements ended, as Postgres itself notes it down."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString

from graders.probes.postgres import Postgres

# An event trigger runs inside the migration's own session: what it sees is certain and not a matter of timing. It has
# the superuser's rights, so it finds nothing of the submission's by name; and it knows the table by its number, which a
# migration can't change as it can the name.
WATCH: LiteralString = """
    CREATE SCHEMA octo_watch;
    CREATE TABLE octo_watch.seen (at bigint GENERATED ALWAYS AS IDENTITY, command text, about text, held text[]);
    CREATE TABLE octo_watch.invoices AS SELECT 'public.invoices'::regclass::oid AS oid;
    CREATE FUNCTION octo_watch.named(about oid) RETURNS text LANGUAGE sql
    SET search_path = pg_catalog, pg_temp AS $$
        SELECT coalesce((SELECT 'public.invoices' FROM octo_watch.invoices WHERE oid = about), about::regclass::text)
    $$;
    CREATE FUNCTION octo_watch.held() RETURNS text[] LANGUAGE sql
    SET search_path = pg_catalog, pg_temp AS $$
        SELECT coalesce(array_agg(DISTINCT mode), '{}') FROM pg_locks
        WHERE pid = pg_backend_pid() AND granted AND locktype = 'relation'
          AND relation = (SELECT oid FROM octo_watch.invoices)
    $$;
    CREATE FUNCTION octo_watch.ended() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        INSERT INTO octo_watch.seen (command, about, held)
        SELECT command_tag, CASE WHEN classid = 'pg_class'::regclass
                   THEN octo_watch.named(coalesce((SELECT indrelid FROM pg_index WHERE indexrelid = objid), objid))
                   ELSE object_identity END, octo_watch.held()
        FROM pg_event_trigger_ddl_commands();
    END $$;
    CREATE FUNCTION octo_watch.rewrites() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        INSERT INTO octo_watch.seen (command, about, held)
        VALUES ('table rewrite', octo_watch.named(pg_event_trigger_table_rewrite_oid()), octo_watch.held());
    END $$;
    CREATE EVENT TRIGGER octo_watch_ended ON ddl_command_end EXECUTE FUNCTION octo_watch.ended();
    CREATE EVENT TRIGGER octo_watch_rewrites ON table_rewrite EXECUTE FUNCTION octo_watch.rewrites();
"""

UNWATCH: LiteralString = """
    DROP EVENT TRIGGER octo_watch_ended;
    DROP EVENT TRIGGER octo_watch_rewrites;
    DROP SCHEMA octo_watch CASCADE;
"""


@dataclass(frozen=True)
class Statement:
    """One schema change that took effect: its command tag, its table, and the locks then held on `invoices`."""

    command: str
    about: str
    held: tuple[str, ...]


@contextmanager
def watched(postgres: Postgres) -> Iterator[list[Statement]]:
    """Note down every schema change inside the block; the list is filled when the block ends."""
    seen: list[Statement] = []
    postgres.catalog(WATCH)
    try:
        yield seen
    finally:
        rows = postgres.catalog("SELECT command, about, held FROM octo_watch.seen ORDER BY at")
        seen += [Statement(command, about, tuple(held)) for command, about, held in rows]
        postgres.catalog(UNWATCH)
