"""Holds up one read or one commit of the service at an instant that luck would never hit twice. Needs the superuser.

Only the first session that comes there is held up; all others pass. Everything is taken away in the end.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from graders.probes.postgres import Postgres

SCHEMA: LiteralString = "CREATE SCHEMA octo_held; GRANT USAGE ON SCHEMA octo_held TO PUBLIC"
# The first comer is who gets the turn; it then waits for the gate, which we hold.
FUNCTIONS: LiteralString = """
    CREATE FUNCTION octo_held.pass() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
    BEGIN
        IF pg_try_advisory_lock({turn}) THEN
            PERFORM pg_advisory_lock_shared({gate});
            PERFORM pg_advisory_unlock_shared({gate});
        END IF;
        RETURN true;
    END $$;
    CREATE FUNCTION octo_held.pass_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
    BEGIN PERFORM octo_held.pass(); RETURN NULL; END $$;
    CREATE FUNCTION octo_held.refuse_commit() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'this transaction may not commit'; END $$
"""
AT_COMMIT: LiteralString = """
    CREATE CONSTRAINT TRIGGER octo_held AFTER UPDATE ON public.invoices DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.id = {id}) EXECUTE FUNCTION octo_held.{function}()
"""
AT_READ: LiteralString = """
    ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY;
    CREATE POLICY octo_held_others ON public.invoices USING (true) WITH CHECK (true);
    CREATE POLICY octo_held ON public.invoices AS RESTRICTIVE FOR SELECT TO billing_app
    USING (customer_id <> {id} OR octo_held.pass())
"""
NOT_AT_READ: LiteralString = """
    DROP POLICY IF EXISTS octo_held ON public.invoices; DROP POLICY IF EXISTS octo_held_others ON public.invoices
"""
HAS_POLICIES: LiteralString = "SELECT relrowsecurity FROM pg_class WHERE oid = 'public.invoices'::regclass"
WAITING: LiteralString = """
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND classid = 0 AND objid::bigint = %s
"""


@dataclass
class HeldUp:
    """Who is held up, until `let_go`."""

    postgres: Postgres
    gate: int
    held: bool = True

    def somebody(self) -> bool:
        """Whether somebody is held up now."""
        return bool(self.postgres.catalog(WAITING, [self.gate]))

    def let_go(self) -> None:
        if self.held:
            self.held = False
            self.postgres.catalog("SELECT pg_advisory_unlock(%s)", [self.gate])


@contextmanager
def commit_refused(postgres: Postgres, invoice: str) -> Iterator[None]:
    """A transaction that changes the invoice fails when it commits."""
    with _prepared(postgres):
        postgres.alter(
            sql.SQL(AT_COMMIT).format(id=_number(invoice), function=sql.Identifier("refuse_commit"))
        )
        yield


@contextmanager
def commit_held_up(postgres: Postgres, invoice: str) -> Iterator[HeldUp]:
    """The first transaction that changes the invoice waits at its commit: nobody sees yet what it did."""
    with _prepared(postgres) as held:
        postgres.alter(sql.SQL(AT_COMMIT).format(id=_number(invoice), function=sql.Identifier("pass_commit")))
        yield held


@contextmanager
def read_held_up(postgres: Postgres, customer: str) -> Iterator[HeldUp]:
    """The first statement that reads invoices of the customer waits in the middle: it sees what was when it began."""
    [(had,)] = postgres.catalog(HAS_POLICIES)
    with _prepared(postgres) as held:
        try:
            postgres.alter(sql.SQL(AT_READ).format(id=_number(customer)))
            yield held
        finally:
            held.let_go()
            postgres.alter(sql.SQL(NOT_AT_READ))
            if not had:
                postgres.alter(sql.SQL("ALTER TABLE public.invoices DISABLE ROW LEVEL SECURITY"))


@contextmanager
def _prepared(postgres: Postgres) -> Iterator[HeldUp]:
    turn, gate = (sql.Literal(1 + secrets.randbelow(2**30)) for _ in range(2))
    number = int(gate.as_string(None))
    postgres.catalog("SELECT pg_advisory_lock(%s)", [number])
    held = HeldUp(postgres, number)
    try:
        postgres.alter(sql.SQL(SCHEMA))
        postgres.alter(sql.SQL(FUNCTIONS).format(turn=turn, gate=gate))
        yield held
    finally:
        held.let_go()
        postgres.alter(sql.SQL("DROP TRIGGER IF EXISTS octo_held ON public.invoices"))
        postgres.alter(sql.SQL("DROP SCHEMA IF EXISTS octo_held CASCADE"))


def _number(id: str) -> sql.Literal:
    return sql.Literal(int(id))
