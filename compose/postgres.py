"""A Postgres server on a data directory: its settings, who may log in, how it is known to be ready."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg

from compose.identity import Identity
from compose.ports import HOST
from compose.server import Recipe
from compose.stores import Login, StoresFailed

GRADER, OWNER, APP, IMPORTER = "octo_grader", "billing_owner", "billing_app", "billing_import"

# The grader's own database: its extension stands here, and nothing of ours in the service's database.
GRADER_DATABASE = "octo_grader"

LOG = "postgresql.json"

# Counting must come out the same every time: nothing in the background (autovacuum, parallel workers, jit,
# checkpoints), no full pages in the WAL. The data are thrown away after the grade: nothing is synced.
# The last 30 connections are not for the service. The log says of each entry which C function wrote it, and of each
# statement that it began: so a text that a service raises can't pass for Postgres' own, nor a statement hide.
SETTINGS = """\
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
max_connections = 130
superuser_reserved_connections = 10
reserved_connections = 20
temp_file_limit = 2GB
max_notify_queue_pages = 4096
shared_buffers = 128MB
maintenance_work_mem = 256MB
dynamic_shared_memory_type = mmap
fsync = off
full_page_writes = off
synchronous_commit = off
wal_level = minimal
max_wal_senders = 0
wal_recycle = off
wal_init_zero = off
min_wal_size = 8MB
max_wal_size = {max_wal_size}MB
checkpoint_timeout = 1h
autovacuum = off
jit = off
max_parallel_workers_per_gather = 0
max_parallel_maintenance_workers = 0
track_io_timing = off
timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'iso, mdy'
lc_messages = 'C'
deadlock_timeout = 1s
compute_query_id = on
shared_preload_libraries = 'pg_stat_statements,auto_explain'
pg_stat_statements.track = top
pg_stat_statements.track_planning = on
pg_stat_statements.max = 10000
pg_stat_statements.save = off
auto_explain.log_min_duration = {explain}
auto_explain.log_analyze = on
auto_explain.log_buffers = on
auto_explain.log_settings = on
auto_explain.log_format = json
auto_explain.log_nested_statements = on
auto_explain.log_timing = off
logging_collector = on
log_destination = 'jsonlog'
log_directory = '{log_directory}'
log_filename = 'postgresql.log'
log_file_mode = 0600
log_rotation_age = 0
log_rotation_size = 0
log_lock_waits = on
log_statement = {log_statement}
log_error_verbosity = verbose
log_parameter_max_length = 0
log_checkpoints = off
"""

# The service's roles may store settings for the database and for themselves, and stored ones reach every session.
# What comes with the connection outranks them: a session of the grader's says what it rests on. The first two matter
# most: with `role` a superuser would be somebody else, with a library that is not there nobody could log in.
PINNED = {
    "role": "none",
    "local_preload_libraries": "",
    "search_path": "pg_catalog,pg_temp",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "transaction_timeout": "0",
    "idle_session_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "client_connection_check_interval": "0",
    "exit_on_error": "off",
    "default_transaction_read_only": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "default_tablespace": "",
    "row_security": "on",
    "check_function_bodies": "on",
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    "array_nulls": "on",
    "quote_all_identifiers": "off",
    "restrict_nonsystem_relation_kind": "",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "xmlbinary": "base64",
    "work_mem": "64MB",
}

DAMAGED = "Perhaps the cached data are damaged: run `octo_lab doctor --clean`, then the same command again."

# Passwords over TCP and nothing else: no local line, no trust.
LOGINS = "host all all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True)
class Purpose:
    """What differs between a server that is graded on and one that builds a dataset."""

    explain: bool
    max_wal_size: int  # MiB
    stop: signal.Signals
    stop_within: float  # seconds


# No checkpoint runs during a grade, and its data are thrown away: SIGQUIT ends it at once.
GRADE = Purpose(explain=True, max_wal_size=8192, stop=signal.SIGQUIT, stop_within=3.0)
# A build must stop cleanly, checkpoint included, and should not pile up WAL.
BUILD = Purpose(explain=False, max_wal_size=512, stop=signal.SIGINT, stop_within=120.0)


@dataclass(frozen=True)
class Cluster:
    """A data directory, the directory of its log beside it, and the superuser's password in it."""

    home: Path
    password: str = field(repr=False)
    first_database: str = GRADER_DATABASE

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "log" / LOG

    def grader(self) -> Login:
        return Login(GRADER, self.password)


def recipe(postgres: Path, cluster: Cluster, identity: Identity, purpose: Purpose) -> Recipe:
    """How to run `postgres` on `cluster`."""

    def command(port: int) -> list[str]:
        identity.write(cluster.data / "postgresql.conf", settings(port, cluster, purpose))
        identity.write(cluster.data / "pg_hba.conf", LOGINS)
        return [str(postgres), "-D", str(cluster.data)]

    return Recipe(
        name="Postgres",
        command=command,
        ready=lambda port: _version(port, cluster) if _up(cluster) else None,
        cwd=cluster.data,
        logs=(cluster.home / "output", cluster.log),
        identity=identity,
        gentle_stop=purpose.stop,
        orphaned=signal.SIGQUIT,
        stop_within=purpose.stop_within,
    )


def settings(port: int, cluster: Cluster, purpose: Purpose) -> str:
    """The text of postgresql.conf."""
    return SETTINGS.format(
        host=HOST,
        port=port,
        log_directory=str(cluster.log.parent).replace("'", "''"),
        explain="0" if purpose.explain else "-1",
        log_statement="all" if purpose.explain else "none",
        max_wal_size=purpose.max_wal_size,
    )


def _up(cluster: Cluster) -> bool:
    """Whether Postgres says in its own file that it takes connections, as pg_ctl asks it."""
    try:
        return (cluster.data / "postmaster.pid").read_text().split()[-1:] == ["ready"]
    except FileNotFoundError:
        return False


def _version(port: int, cluster: Cluster) -> str:
    try:
        with connect(port, cluster.grader(), cluster.first_database) as connection:
            number = connection.info.server_version
    except psycopg.OperationalError as error:
        raise StoresFailed("Postgres is up and lets nobody in.", DAMAGED, str(error)) from error
    return f"{number // 10000}.{number % 10000}"


def connect(
    port: int,
    login: Login,
    database: str = GRADER_DATABASE,
    settings: Mapping[str, str] = MappingProxyType({}),
    *,
    autocommit: bool = True,
) -> psycopg.Connection[Any]:
    """A session with PINNED, some of them replaced and others added by `settings`.

    No PG* variable of the caller's environment has a say in it, nor a stored setting.

    Whoever took the port of a server that died would let us in without asking: so we insist on SCRAM, in which
    the server proves that it knows the password too.
    """
    return psycopg.connect(
        host=HOST,
        port=port,
        user=login.user,
        password=login.password,
        dbname=database,
        autocommit=autocommit,
        connect_timeout=10,
        sslmode="disable",
        gssencmode="disable",
        channel_binding="disable",
        client_encoding="utf8",
        application_name="",
        require_auth="scram-sha-256",
        options=_options(settings),
    )


def _options(settings: Mapping[str, str]) -> str:
    return " ".join(f"-c {name}={_escaped(value)}" for name, value in {**PINNED, **settings}.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
