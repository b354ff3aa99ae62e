"""A Valkey (or Redis) server of one grade: the cache forgets, the queue does not."""

import re
import signal
import socket
from pathlib import Path
from typing import Literal

from compose.identity import Identity
from compose.ports import HOST
from compose.server import Recipe

COMMON = """\
bind {host}
port {port}
requirepass {password}
protected-mode yes
daemonize no
dir "{directory}"
logfile "{log}"
save ""
enable-protected-configs no
enable-debug-command no
enable-module-command no
"""

CACHE = "appendonly no\nmaxmemory 64mb\nmaxmemory-policy allkeys-lru\n"
QUEUE = "appendonly yes\nappendfsync no\nmaxmemory-policy noeviction\n"


def recipe(
    name: Literal["cache", "queue"], binary: Path, directory: Path, identity: Identity, password: str
) -> Recipe:
    """How to run `binary` as the store `name` in `directory`, which belongs to the servers' user."""
    config, log = directory / "valkey.conf", directory / "valkey.log"

    def command(port: int) -> list[str]:
        identity.write(config, configuration(name, port, password, directory, log))
        return [str(binary), str(config)]

    return Recipe(
        name=f"The {name}",
        command=command,
        ready=lambda port: version(port, password),
        cwd=directory,
        logs=(directory / "output", log),
        identity=identity,
        gentle_stop=signal.SIGKILL,
        orphaned=signal.SIGKILL,
    )


def configuration(
    name: Literal["cache", "queue"], port: int, password: str, directory: Path, log: Path
) -> str:
    """The text of the server's configuration."""
    common = COMMON.format(host=HOST, port=port, password=password, directory=directory, log=log)
    return common + (CACHE if name == "cache" else QUEUE)


def version(port: int, password: str) -> str | None:
    """Ask the server who it is; None while it does not answer. By hand: redis-py takes 0.2 s to import."""
    try:
        with socket.create_connection((HOST, port), timeout=0.3) as connection:
            connection.sendall(f"AUTH {password}\r\nINFO server\r\nQUIT\r\n".encode())
            told = b"".join(iter(lambda: connection.recv(65_536), b"")).decode()
    except OSError:
        return None
    found = re.search(r"valkey_version:(\S+)", told) or re.search(r"redis_version:(\S+)", told)
    return found.group(1) if found else None
