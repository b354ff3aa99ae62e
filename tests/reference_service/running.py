"""The service as others see it: Procfile, address, log lines, rows. Its code is never imported."""

import json
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import requests
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from compose.postgres import GRADER, GRADER_DATABASE
from compose.roles import DATABASE_GRANTS, create_database
from compose.stores import PostgresServer

SERVICE = Path(__file__).parents[2] / "reference_service"
SECONDS = 60.0

Row = dict[str, Any]


def procfile(tree: Path = SERVICE) -> dict[str, str]:
    lines = (tree / "Procfile").read_text().splitlines()
    return {name: command.strip() for name, _, command in (line.partition(":") for line in lines)}


def eventually(condition: Callable[[], Any], what: str) -> Any:
    """Wait until the condition holds; it is asked again and again, and the test fails when it never does."""
    deadline = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.03)
    return found


@dataclass(frozen=True)
class Database:
    """A database of its own for one test, and its logins."""

    server: PostgresServer
    name: str

    def owner_url(self) -> str:
        return self.server.url(self.server.owner, self.name)

    def app_url(self) -> str:
        return self.server.url(self.server.app, self.name)

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[Row]:
        """As superuser."""
        url = self.server.url(self.server.grader, self.name)
        return psycopg.connect(url, autocommit=autocommit, row_factory=dict_row)

    def rows(self, query: str, *parameters: object) -> list[Row]:
        with self.connect() as connection:
            return connection.execute(query.encode(), parameters or None).fetchall()

    def execute(self, query: str, *parameters: object) -> None:
        with self.connect() as connection:
            connection.execute(query.encode(), parameters or None)

    def add_tenant(self, currency: str = "EUR") -> int:
        query = "INSERT INTO tenants (name, currency) VALUES ('T', %s) RETURNING id"
        return int(self.rows(query, currency)[0]["id"])

    def sessions(self) -> list[Row]:
        """The sessions of the service in this database."""
        query = "SELECT * FROM pg_stat_activity WHERE datname = %s AND usename <> %s"
        return self.rows(query, self.name, GRADER)


def new_database(server: PostgresServer) -> Database:
    """Another database, with the roles and rights that the contract promises."""
    name = f"billing_{secrets.token_hex(6)}"
    create_database(server, name)
    return Database(server, name)


def copy_of(template: Database) -> Database:
    """A database like the template, which nobody is connected to."""
    server, name = template.server, f"billing_{secrets.token_hex(6)}"
    with psycopg.connect(server.url(server.grader, GRADER_DATABASE), autocommit=True) as connection:
        create = SQL("CREATE DATABASE {} TEMPLATE {} OWNER billing_owner STRATEGY file_copy")
        connection.execute(create.format(Identifier(name), Identifier(template.name)))
        for grant in DATABASE_GRANTS:
            connection.execute(SQL(grant).format(database=Identifier(name)))
    return Database(server, name)


@dataclass(frozen=True)
class Ended:
    """A process that ran to its end."""

    code: int
    lines: list[Row]

    def message(self) -> str:
        return str(self.lines[-1]["message"])


def run(command: str, env: Mapping[str, str], tree: Path = SERVICE, arguments: str = "") -> Ended:
    """Run one command of a Procfile to its end. Every line of its output must be JSON."""
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {command} {arguments}"],
        cwd=tree,
        env=dict(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, [json.loads(line) for line in done.stdout.splitlines()])


def release(database: Database, env: Mapping[str, str], tree: Path = SERVICE, arguments: str = "") -> Ended:
    """Run `release` of the tree on the database, as its owner."""
    return run(procfile(tree)["release"], {**env, "DATABASE_URL": database.owner_url()}, tree, arguments)


def web_env(database: Database, env: Mapping[str, str]) -> dict[str, str]:
    """The environment of a `web` process on the database and on a free port, behind a gateway unless `env` says else."""
    return {"IDENTITY": "gateway", **env, "DATABASE_URL": database.app_url(), "PORT": str(free_port())}


@dataclass
class Web:
    """A running `web` process."""

    popen: "subprocess.Popen[bytes]"
    url: str
    lines: list[Row] = field(default_factory=list)
    session: requests.Session = field(default_factory=requests.Session)
    reader: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.session.trust_env = False
        # A connection for each request: none is found closed by the time it is used again.
        self.session.headers["Connection"] = "close"
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.popen.stdout
        for line in self.popen.stdout:
            self.lines.append(json.loads(line))

    def call(self, method: str, path: str, *, tenant: object = None, **options: Any) -> requests.Response:
        headers = {**({"X-Tenant-ID": str(tenant)} if tenant else {}), **options.pop("headers", {})}
        return self.session.request(
            method, self.url + path, headers=headers, timeout=SECONDS, allow_redirects=False, **options
        )

    def line_of(self, response: requests.Response) -> Row:
        """The line that the request left in the log."""
        wanted = response.headers["X-Request-ID"]
        found = eventually(lambda: self.lines_with(wanted, "request"), f"a line for {wanted}")
        assert len(found) == 1
        return dict(found[0])

    def lines_with(self, request_id: str, message: str) -> list[Row]:
        wanted = {"request_id": request_id, "message": message}
        return [line for line in list(self.lines) if wanted.items() <= line.items()]

    def wait_for_line(self, message: str) -> Row:
        def found() -> list[Row]:
            return [line for line in list(self.lines) if line["message"] == message]

        return dict(eventually(found, f"the log line {message!r}")[0])

    def terminate(self) -> None:
        self.popen.send_signal(signal.SIGTERM)

    def ended(self) -> int:
        """The exit code, when the process has ended by itself and its log is read."""
        code = self.popen.wait(SECONDS)
        self.reader.join(SECONDS)
        return code


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def started(env: Mapping[str, str], tree: Path = SERVICE, *, ready: bool = True) -> Iterator[Web]:
    """The `web` process of the tree, awaited until it is ready (or not), and killed in the end."""
    popen = subprocess.Popen(
        ["/bin/sh", "-c", f"exec {procfile(tree)['web']}"],
        cwd=tree,
        env=dict(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    web = Web(popen, f"http://127.0.0.1:{env['PORT']}")
    try:
        if ready:
            eventually(lambda: _is_ready(web), "readiness")
        yield web
    finally:
        popen.kill()
        web.ended()
        assert popen.stdout
        popen.stdout.close()


def _is_ready(web: Web) -> bool:
    assert web.popen.poll() is None, f"web ended: {web.lines}"
    try:
        return web.call("GET", "/readyz").status_code == 200
    except requests.ConnectionError:
        return False
