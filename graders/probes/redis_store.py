"""The cache or the queue as its operator sees it: keys and their time to live, depth, pending entries, the commands sent."""

import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import redis

from compose.stores import RedisServer
from graders.check import CannotJudge

WITHIN = 20.0
MOST_KEYS = 100_000


@dataclass(frozen=True)
class Command:
    """One command of the service's, in capital letters, and its arguments as text."""

    name: str
    arguments: Sequence[str]
    from_script: bool


@dataclass
class Commands:
    """What the service sent while it was watched; complete once the `with` block has ended."""

    all: list[Command] = field(default_factory=list)

    def about(self, text: str) -> list[Command]:
        """Those with an argument that holds the text."""
        return [command for command in self.all if any(text in each for each in command.arguments)]


class RedisStore:
    """One running server, seen through the grader's own login. Raises CannotJudge where it does not answer."""

    def __init__(self, server: RedisServer) -> None:
        self._login: dict[str, Any] = {
            "host": server.host,
            "port": server.port,
            "username": server.grader.user,
            "password": server.grader.password,
            "socket_timeout": WITHIN,
            "protocol": 2,
        }
        self._client = redis.Redis(**self._login)

    def keys(self) -> tuple[str, ...]:
        """Every key, of all that there are."""
        found: list[str] = []
        for key in self._client.scan_iter(count=1000):
            found.append(key.decode("utf-8", "replace"))
            if len(found) == MOST_KEYS:
                break
        return tuple(sorted(found))

    def lasting(self) -> tuple[str, ...]:
        """The keys that never expire."""
        return tuple(key for key in self.keys() if self._client.ttl(key) == -1)

    def longest_ttl(self) -> int:
        """The longest time to live of any key, in seconds; 0 without keys that expire."""
        return max((int(self._client.ttl(key)) for key in self.keys()), default=0)

    def depth(self) -> int:
        """How many entries all lists, streams, sets and sorted sets hold together."""
        sizes: dict[str, Callable[[str], Any]] = {
            "list": self._client.llen,
            "stream": self._client.xlen,
            "zset": self._client.zcard,
            "set": self._client.scard,
        }
        total = 0
        for key in self.keys():
            size = sizes.get(self._kind(key))
            total += int(size(key)) if size else 0
        return total

    def pending(self) -> int:
        """How many entries of streams are delivered to a consumer and not acknowledged."""
        streams = [key for key in self.keys() if self._kind(key) == "stream"]
        return sum(int(group["pending"]) for key in streams for group in self._client.xinfo_groups(key))

    def deliver_again(self) -> int:
        """Put every entry of every stream there once more, as a producer does that lost its answer; how many."""
        streams = [key for key in self.keys() if self._kind(key) == "stream"]
        client: Any = self._client
        entries = [(key, fields) for key in streams for _, fields in client.xrange(key) if fields]
        for key, fields in entries:
            client.xadd(key, fields)
        return len(entries)

    def undelivered(self) -> int:
        """How many entries of streams no consumer has been given yet (XINFO GROUPS, lag)."""
        streams = [key for key in self.keys() if self._kind(key) == "stream"]
        return sum(int(group["lag"] or 0) for key in streams for group in self._client.xinfo_groups(key))

    def _kind(self, key: str) -> str:
        kind: Any = self._client.type(key)
        return str(kind.decode())

    def clients(self) -> int:
        """How many connections there are beside the grader's."""
        return sum(client["user"] != self._login["username"] for client in self._client.client_list())

    def asked(self) -> int:
        """How many commands the server has run since it started, this question among them."""
        stats: Any = self._client.info("stats")
        return int(stats["total_commands_processed"])

    def forget(self) -> None:
        """Take everything away, as a server that was replaced would."""
        self._client.flushall()

    @contextmanager
    def observe(self) -> Iterator[Commands]:
        """Note every command that others send inside the block, those of their scripts included."""
        seen = Commands()
        with redis.Redis(**self._login) as client, client.monitor() as monitor:
            mark = secrets.token_hex(16)
            reader = threading.Thread(target=_note, args=(monitor, seen, mark), daemon=True)
            reader.start()
            yield seen
            # The server tells commands in the order in which it ran them: past our mark nothing of the block is missing.
            self._client.echo(mark)
            reader.join(WITHIN)
        if reader.is_alive():
            raise CannotJudge("The server does not tell what it runs.", "Grade again.")

    def close(self) -> None:
        self._client.close()


def _note(monitor: Any, seen: Commands, mark: str) -> None:
    while True:
        told = monitor.next_command()
        name, *arguments = told["command"].split(" ")
        if mark in arguments:
            return
        seen.all.append(Command(name.upper(), arguments, told["client_type"] == "lua"))
