"""Who may do what in Postgres: the owner of the service's databases, the app, other programs, the grader."""

from collections.abc import Sequence

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from compose.postgres import GRADER, GRADER_DATABASE, connect
from compose.stores import DATABASE, Login, PostgresServer

DATABASE_GRANTS = (
    "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
    "GRANT CONNECT ON DATABASE {database} TO billing_app",
)

# For whatever the owner creates later: the app reads and writes rows, takes numbers, changes no structure.
DEFAULT_GRANTS = (
    "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO billing_app",
    "GRANT USAGE, SELECT ON SEQUENCES TO billing_app",
    "GRANT USAGE ON SCHEMAS TO billing_app",
)


# Other programs have the app's rights under a name of their own. So the service can neither end their sessions nor read
# their statements, change their password or their settings, nor take the last connections from them.
IMPORTER_GRANTS = (
    "GRANT billing_app TO billing_import WITH INHERIT TRUE, SET FALSE",
    "GRANT pg_use_reserved_connections TO billing_import",
)


def furnish(server: PostgresServer) -> None:
    """Make roles and databases on a cluster fresh from initdb. Two of its databases go: each costs a copy."""
    with connect(server.port, server.grader, "postgres") as session:
        for login in (server.owner, server.app, server.importer):
            session.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(login.user)))
            _set_password(session, login)
        for grant in IMPORTER_GRANTS:
            session.execute(grant)
        session.execute(SQL("CREATE DATABASE {}").format(Identifier(GRADER_DATABASE)))
    with connect(server.port, server.grader) as session:
        session.execute("DROP DATABASE postgres WITH (FORCE)")
        session.execute("ALTER DATABASE template0 IS_TEMPLATE false")
        session.execute("DROP DATABASE template0")
        session.execute("REVOKE ALL ON DATABASE template1, octo_grader FROM PUBLIC")
        session.execute("CREATE EXTENSION pg_stat_statements SCHEMA public")
    create_database(server, DATABASE)


def create_database(server: PostgresServer, name: str) -> None:
    """Make another database with the owner and the grants of the service's own. Raises psycopg.Error."""
    database = Identifier(name)
    with connect(server.port, server.grader) as session:
        session.execute(SQL("CREATE DATABASE {} OWNER billing_owner").format(database))
        for grant in DATABASE_GRANTS:
            session.execute(SQL(grant).format(database=database))
    with connect(server.port, server.grader, name) as session:
        for grant in DEFAULT_GRANTS:
            session.execute(SQL("ALTER DEFAULT PRIVILEGES FOR ROLE billing_owner {}").format(SQL(grant)))


def lend_owner(server: PostgresServer) -> None:
    """Let the schema's owner log in, for a release."""
    with connect(server.port, server.grader) as session:
        session.execute("ALTER ROLE billing_owner LOGIN")


def take_owner_back(server: PostgresServer) -> None:
    """End the owner's sessions and let him begin no other: a release may have handed his password on."""
    with connect(server.port, server.grader) as session:
        session.execute("ALTER ROLE billing_owner NOLOGIN")
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'billing_owner'"
        )


def renew_passwords(port: int, old: Login, new: Sequence[Login]) -> None:
    """Give roles their passwords for this grade. Hashes are sent: no log can hold a password."""
    with connect(port, old) as session:
        for login in new:
            _set_password(session, login)
        session.execute("SELECT public.pg_stat_statements_reset()")


def _set_password(session: psycopg.Connection, login: Login) -> None:
    # The grader connects often, with a password of 192 random bits: one round of hashing is as good as 4096.
    session.execute("SET scram_iterations = 1" if login.user == GRADER else "RESET scram_iterations")
    hashed = session.pgconn.encrypt_password(login.password.encode(), login.user.encode(), b"scram-sha-256")
    session.execute(SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(login.user), Literal(hashed.decode())))
