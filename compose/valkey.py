"""A Valkey (or Redis) server of one grade: the cache forgets, the queue does not, and the service administers neither."""

import hashlib
import re
import signal
import socket
from pathlib import Path
from typing import Literal

from compose.identity import Identity
from compose.ports import HOST
from compose.server import Recipe
from compose.stores import Login

GRADER = "octo_grader"

# The service may do what an application and a job library need, with any key and channel: Lua, functions, streams, pub/sub,
# and of the commands that Redis calls dangerous those below. It can't reconfigure the server, stop it, make it write
# files or call others, listen in on other clients, end or pause them. Redis 7 and later know every name here.
SERVICE = (
    "+@all -@admin -@dangerous +info +keys +sort +sort_ro +flushdb +flushall +swapdb +role +lastsave"
    " +client|list +client|info +config|get +acl|whoami"
)

# Bounds on what a client can make the server keep in memory: half-sent commands, answers that nobody fetches.
COMMON = """\
bind {host}
port {port}
user default on #{password} ~* &* {service}
user {grader} on #{grader_password} ~* &* +@all
protected-mode yes
daemonize no
dir "{directory}"
logfile "{log}"
save ""
enable-protected-configs no
enable-debug-command no
enable-module-command no
proto-max-bulk-len 64mb
client-query-buffer-limit 64mb
client-output-buffer-limit normal 128mb 64mb 60
client-output-buffer-limit pubsub 32mb 8mb 60
maxmemory-clients 128mb
maxclients 1000
"""

CACHE = "appendonly no\nmaxmemory 64mb\nmaxmemory-policy allkeys-lru\n"
QUEUE = "appendonly yes\nappendfsync no\nmaxmemory 256mb\nmaxmemory-policy noeviction\n"


def recipe(
    name: Literal["cache", "queue"],
    binary: Path,
    directory: Path,
    identity: Identity,
    password: str,
    grader: Login,
) -> Recipe:
    """How to run `binary` as the store `name` in `directory`, which belongs to the servers' user.

    password: of the user `default`, the service's; grader: the user who may do everything.
    """
    config, log = directory / "valkey.conf", directory / "valkey.log"

    def command(port: int) -> list[str]:
        identity.write(config, configuration(name, port, password, grader, directory, log))
        return [str(binary), str(config)]

    return Recipe(
        name=f"The {name}",
        command=command,
        ready=lambda port: version(port, grader),
        cwd=directory,
        logs=(directory / "output", log),
        identity=identity,
        gentle_stop=signal.SIGKILL,
        orphaned=signal.SIGKILL,
    )


def configuration(
    name: Literal["cache", "queue"], port: int, password: str, grader: Login, directory: Path, log: Path
) -> str:
    """The text of the server's configuration."""
    common = COMMON.format(
        host=HOST,
        port=port,
        password=_hash(password),
        service=SERVICE,
        grader=grader.user,
        grader_password=_hash(grader.password),
        directory=directory,
        log=log,
    )
    return common + (CACHE if name == "cache" else QUEUE)


def _hash(password: str) -> str:
    """As an ACL line has it."""
    return hashlib.sha256(password.encode()).hexdigest()


def wrote_its_log(port: int, grader: Login) -> bool:
    """Whether the append-only file could be written the last time. The server says so: its text log, scripts write to."""
    told = _info(port, grader, "persistence")
    return told is None or "aof_last_write_status:err" not in told


def version(port: int, login: Login) -> str | None:
    """What the server says it is; None while it does not answer."""
    told = _info(port, login, "server") or ""
    found = re.search(r"valkey_version:(\S+)", told) or re.search(r"redis_version:(\S+)", told)
    return found.group(1) if found else None


def _info(port: int, login: Login, section: str) -> str | None:
    """A section of INFO; None where nothing answers. By hand: redis-py takes 0.2 s to import."""
    try:
        with socket.create_connection((HOST, port), timeout=0.3) as connection:
            asked = f"AUTH {login.user} {login.password}\r\nINFO {section}\r\nQUIT\r\n"
            connection.sendall(asked.encode())
            return b"".join(iter(lambda: connection.recv(65_536), b"")).decode()
    except OSError:
        return None
