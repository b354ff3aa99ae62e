"""What the owner and the app may try on the server and on the sessions of others, and what comes of it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import psycopg
import pytest
from psycopg.errors import FeatureNotSupported, InsufficientPrivilege, UndefinedFile

from compose.postgres import PINNED, connect
from compose.stores import DATABASE, Login, PostgresServer, Stores
from tests.compose.conftest import POSTGRES, stores

Session = psycopg.Connection


def session(server: PostgresServer, login: Login, database: str = DATABASE) -> Session:
    return psycopg.connect(server.url(login, database), autocommit=True)


@pytest.fixture(params=["owner", "app"])
def hostile(request: pytest.FixtureRequest, postgres: PostgresServer) -> Iterator[Session]:
    with session(postgres, getattr(postgres, request.param)) as connection:
        yield connection


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE ROLE accomplice",
        "ALTER ROLE octo_grader PASSWORD 'known'",
        "ALTER ROLE billing_import PASSWORD 'known'",
        "ALTER ROLE billing_import SET search_path = mine",
        "ALTER ROLE ALL SET search_path = mine",
        "GRANT billing_owner TO billing_import",
        "SET ROLE billing_import",
        "SET SESSION AUTHORIZATION octo_grader",
        "SET session_replication_role = replica",
        "SET event_triggers = off",
        "SET log_statement = none",
        "SET log_min_messages = panic",
        "SET log_error_verbosity = terse",
        "SET pg_stat_statements.track = none",
        "SET auto_explain.log_nested_statements = off",
        "SET temp_file_limit = -1",
        "ALTER DATABASE billing SET auto_explain.log_min_duration = -1",
        "ALTER SYSTEM SET shared_preload_libraries = ''",
        "LOAD 'auto_explain'",
        "CREATE FUNCTION code() RETURNS int LANGUAGE c AS 'auto_explain'",
        "CREATE FUNCTION code() RETURNS int LANGUAGE internal AS 'pg_backend_pid'",
        "CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE EXTENSION dblink",
        "CREATE EXTENSION file_fdw",
        "CREATE EXTENSION postgres_fdw",
        "CREATE EXTENSION pageinspect",
        "CREATE TABLESPACE mine LOCATION '/tmp'",
        "COPY (SELECT 1) TO '/tmp/mine'",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT lo_import('/etc/passwd')",
        "SELECT lo_export(1, '/tmp/mine')",
        "SELECT pg_read_file('pg_hba.conf')",
        "SELECT pg_ls_dir('.')",
        "SELECT pg_current_logfile()",
        "SELECT pg_rotate_logfile()",
        "SELECT pg_reload_conf()",
        "SELECT pg_stat_reset()",
        "SELECT pg_switch_wal()",
        "SELECT rolpassword FROM pg_authid",
        "SELECT pg_create_logical_replication_slot('mine', 'test_decoding')",
    ],
)
def test_the_server_itself_is_out_of_reach(hostile: Session, statement: str) -> None:
    with pytest.raises((InsufficientPrivilege, UndefinedFile, FeatureNotSupported)):
        hostile.execute(statement.encode())


def test_another_programs_session_is_neither_ended_nor_read(
    postgres: PostgresServer, hostile: Session
) -> None:
    with session(postgres, postgres.importer) as other, session(postgres, postgres.grader) as grader:
        other.execute("SELECT 'secret'")
        for program in (other, grader):
            seen = "SELECT query FROM pg_stat_activity WHERE pid = %s"
            assert hostile.execute(seen, [program.info.backend_pid]).fetchone() == (
                "<insufficient privilege>",
            )
            for function in ("pg_terminate_backend", "pg_cancel_backend"):
                with pytest.raises(InsufficientPrivilege):
                    hostile.execute(f"SELECT {function}(%s)".encode(), [program.info.backend_pid])


def test_another_program_has_the_apps_rights_and_no_more(postgres: PostgresServer) -> None:
    with session(postgres, postgres.owner) as owner:
        owner.execute("CREATE TABLE letters (letter text)")
    with session(postgres, postgres.importer) as other:
        other.execute("INSERT INTO letters VALUES ('a')")
        assert other.execute("UPDATE letters SET letter = 'b' RETURNING letter").fetchone() == ("b",)
        for statement in (
            "DROP TABLE letters",
            "CREATE TABLE mine ()",
            "SET ROLE billing_app",
            "SET ROLE billing_owner",
        ):
            with pytest.raises(InsufficientPrivilege):
                other.execute(statement.encode())


def test_a_new_password_of_the_apps_locks_out_nobody_else(cache: object) -> None:
    with stores(POSTGRES) as up:
        server = the(up)
        with session(server, server.app) as app:
            app.execute("ALTER ROLE billing_app PASSWORD 'mine'")
        connect(server.port, server.importer, DATABASE).close()


def test_the_service_cannot_take_the_last_connection(cache: object) -> None:
    with stores(POSTGRES) as up, ExitStack() as stack:
        server = the(up)

        def exhaust() -> None:
            for _ in range(200):
                stack.callback(session(server, server.app).close)

        with pytest.raises(psycopg.OperationalError, match="reserved"):
            exhaust()
        for login in 10 * [server.importer] + 2 * [server.grader]:
            stack.callback(connect(server.port, login, DATABASE).close)


# What an owner may store for the database, and would like the grader's sessions to start with.
STORED = {
    "role": "billing_owner",
    "local_preload_libraries": "'not_there'",
    "search_path": "mine, pg_catalog",
    "statement_timeout": "1",
    "lock_timeout": "1",
    "transaction_timeout": "1",
    "idle_session_timeout": "1",
    "idle_in_transaction_session_timeout": "1",
    "client_connection_check_interval": "1",
    "exit_on_error": "on",
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "row_security": "off",
    "check_function_bodies": "off",
    "standard_conforming_strings": "off",
    "transform_null_equals": "on",
    "array_nulls": "off",
    "quote_all_identifiers": "on",
    "restrict_nonsystem_relation_kind": "'view'",
    "datestyle": "'German'",
    "intervalstyle": "iso_8601",
    "timezone": "'Asia/Tokyo'",
    "bytea_output": "escape",
    "extra_float_digits": "-5",
    "xmlbinary": "hex",
    "work_mem": "64",
    "client_encoding": "'SQL_ASCII'",
}


def test_no_stored_setting_reaches_the_graders_sessions(cache: object) -> None:
    with stores(POSTGRES) as up:
        server = the(up)
        with session(server, server.owner) as owner:
            for name, value in STORED.items():
                if name != "exit_on_error":  # cannot be stored
                    owner.execute(f"ALTER DATABASE billing SET {name} = {value}".encode())
        for login in (server.grader, server.importer):
            with connect(server.port, login, DATABASE) as mine:
                found = "SELECT current_user, current_setting('client_encoding')"
                assert mine.execute(found).fetchone() == (login.user, "UTF8")
                pinned = {name: value for name, value in PINNED.items() if name != "role"}
                assert {name: shown(mine, name) for name in pinned} == pinned
        with pytest.raises(psycopg.OperationalError):
            session(server, server.grader)


def test_every_setting_that_can_be_stored_and_matters_is_pinned(postgres: PostgresServer) -> None:
    """What a newer Postgres lets everybody set is to be looked at, and pinned or put among the harmless."""
    harmless = (
        "enable_", "geqo", "debug_", "log_", "tcp_", "jit", "trace_", "vacuum_", "commit_", "cpu_", "gin_", "join_",
        "parallel_", "seq_page", "random_page", "from_collapse", "effective_", "min_parallel", "max_parallel", "plan_",
        "recursive_", "cursor_", "constraint_", "hash_mem", "temp_", "maintenance_", "autovacuum_", "backend_flush",
        "client_min", "createrole_", "default_statistics", "default_table_access", "default_text_search", "default_toast",
        "dynamic_library", "extension_control", "escape_string", "backslash", "event_source", "gss", "icu_", "io_",
        "lc_", "md5_password_warnings", "logical_decoding", "max_stack", "password_", "stats_fetch", "synchronize_", "synchronous_commit",
        "timezone_abbreviations", "transaction_", "wal_", "xmloption", "seed", "application_name", "client_encoding",
        "session_authorization", "scram_iterations", "in_hot_standby", "file_copy", "is_superuser", "ssl_", "lo_compat",
        "allow_alter", "update_process", "ignore_", "post_auth", "track_", "zero_", "exit_on_error", "send_abort",
    )  # fmt: skip
    with session(postgres, postgres.grader) as grader:
        rows = grader.execute("SELECT lower(name) FROM pg_settings WHERE context = 'user'").fetchall()
    assert [name for (name,) in rows if name not in PINNED and not name.startswith(harmless)] == []


def test_whoever_takes_the_port_of_a_dead_server_learns_no_password(postgres: PostgresServer) -> None:
    """Such a one lets anybody in, or asks for the password in clear."""
    for answer in (b"R\0\0\0\x08\0\0\0\0", b"R\0\0\0\x08\0\0\0\x03"):
        with impostor(answer) as (port, heard):
            with pytest.raises(psycopg.OperationalError, match="authentication method requirement"):
                connect(port, postgres.grader)
            heard.join(10)
        assert postgres.grader.password.encode() not in heard.text


class Impostor(threading.Thread):
    """Answers one start-up message, and keeps what it is sent."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.answer, self.text = answer, b""

    def run(self) -> None:
        client, _ = self.listener.accept()
        with client:
            self.text += client.recv(4096)
            client.sendall(self.answer)
            with suppress(OSError):
                self.text += client.recv(4096)


@contextmanager
def impostor(answer: bytes) -> Iterator[tuple[int, Impostor]]:
    thread = Impostor(answer)
    with thread.listener:
        thread.start()
        yield thread.listener.getsockname()[1], thread


def shown(connection: Session, name: str) -> str:
    (value,) = connection.execute("SELECT current_setting(%s)", [name]).fetchone() or ("",)
    return str(value)


def the(up: Stores) -> PostgresServer:
    assert up.postgres
    return up.postgres
