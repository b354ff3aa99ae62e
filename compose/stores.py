"""The one interface to what a service runs on: addresses, logins, datasets. How servers start stands in `embedded`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

if TYPE_CHECKING:
    from compose.enclosure import Enclosure

StoreName = Literal["postgres", "cache", "queue"]

# What a run stands on: servers from binaries beside us, or containers.
Ground = Literal["embedded", "docker"]

DATABASE = "billing"


class StoresFailed(Exception):
    """The kit or the machine could not bring a store up; the text says what to do. Never the learner's loss."""

    def __init__(self, problem: str, remedy: str, details: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.details = details


@dataclass(frozen=True)
class Login:
    """A database role and its password."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class PostgresServer:
    """A running Postgres on loopback and its four roles (see CONTRACT.md for what each may do)."""

    host: str
    port: int
    grader: Login
    owner: Login
    app: Login
    importer: Login
    log: Path
    version: str

    def url(self, login: Login, database: str = DATABASE) -> str:
        return f"postgresql://{login.user}:{quote(login.password)}@{self.host}:{self.port}/{database}"


@dataclass(frozen=True)
class RedisServer:
    """A running Valkey or Redis on loopback. `password` is the service's; the grader has a user of its own."""

    host: str
    port: int
    password: str = field(repr=False)
    grader: Login
    log: Path
    version: str

    def url(self) -> str:
        return f"redis://:{quote(self.password)}@{self.host}:{self.port}/0"


@dataclass(frozen=True)
class Stores:
    """What one grade runs on. A store that the lab did not ask for is None.

    enclosure: on Docker, the network that the servers are in and the submission joins.
    fallen: which server has died, with its last words; asked while the stores should be up.
    """

    postgres: PostgresServer | None = None
    cache: RedisServer | None = None
    queue: RedisServer | None = None
    enclosure: "Enclosure | None" = None
    fallen: Callable[[], StoresFailed | None] = lambda: None

    def versions(self) -> dict[str, str]:
        """Server versions by store name, for the report."""
        servers = {"postgres": self.postgres, "cache": self.cache, "queue": self.queue}
        return {name: server.version for name, server in servers.items() if server}


@dataclass(frozen=True)
class Dataset:
    """A seeded cluster: `key` names everything that made it; `fill` makes it on an empty running server."""

    key: str
    fill: Callable[[PostgresServer], None]


@dataclass(frozen=True)
class FixedAddresses:
    """Ports and passwords that `octo_lab run` promises, so that pasted lines work. A grade uses none of them."""

    postgres: int = 54320
    cache: int = 63790
    queue: int = 63791
    web: int = 8080
    identity: int = 8081
    mail: int = 8082
    payments: int = 8083
    faults: int = 8084
    worker: int = 8085
    password: str = "octo_lab"  # noqa: S105 - a public password on loopback, for use by hand
