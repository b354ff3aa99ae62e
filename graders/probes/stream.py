"""One answer while it is on its way: when its first byte came, how it goes on, and what it is to be left in the middle."""

import select
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from graders.check import Failure
from graders.probes.api import curl

CHUNK = 65_536
MOST_HEADER_BYTES = 65_536
BECAUSE = "Callers give up long before that, and every waiting request holds a worker and a connection."


class Streamed:
    """An answer that is being read. Sizes are of the wire, chunk marks included."""

    def __init__(self, connection: socket.socket, did: str, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._rest = b""
        self.did = did
        self.status = 0
        self.head = b""
        self.received = 0

    def read(self, size: int = CHUNK) -> bytes:
        """The next bytes of the body, empty at its end. Raises Failure past the deadline."""
        if self._rest:
            data, self._rest = self._rest[:size], self._rest[size:]
        else:
            data = self._receive(size)
        self.received += len(data)
        return data

    def read_within(self, seconds: float) -> bytes:
        """As `read`; raises TimeoutError where nothing comes for so long."""
        if not self._rest:
            ready, _, _ = select.select([self._connection], [], [], seconds)
            if not ready:
                raise TimeoutError
        return self.read()

    def read_head(self) -> None:
        """Status line and headers. Raises Failure where none come."""
        data = b""
        while b"\r\n\r\n" not in data and len(data) < MOST_HEADER_BYTES:
            more = self._receive(CHUNK)
            if not more:
                break
            data += more
        self.head, _, self._rest = data.partition(b"\r\n\r\n")
        parts = self.head.split(b" ", 2)
        if len(parts) < 2 or not parts[0].startswith(b"HTTP/1") or not parts[1].isdigit():
            raise Failure(
                expected="An HTTP answer.",
                got=repr(data[:80]),
                because="A caller can't read this.",
                did=self.did,
            )
        self.status = int(parts[1])

    def _receive(self, size: int) -> bytes:
        left = self._deadline - time.monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            self._connection.settimeout(left)
            return self._connection.recv(size)
        except TimeoutError:
            raise Failure(
                expected="The answer goes on.",
                got=f"Nothing more came; {self.received} bytes of the body had come before.",
                because=BECAUSE,
                did=self.did,
            ) from None
        except OSError as error:
            raise Failure(
                expected="A complete answer.",
                got=f"the connection broke: {error}",
                because="A caller that gets half an answer may take it for a whole one.",
                did=self.did,
            ) from None


@contextmanager
def streamed(
    base_url: str, path: str, headers: Mapping[str, str], seconds: float = 30.0, window: int = 0
) -> Iterator[Streamed]:
    """GET the path, read as far as its headers. Leaving the block hangs up, whatever is still to come.

    window: bytes of the receive buffer; a small one holds a fast sender back, as a slow reader does. 0: the system's.
    """
    url = urlsplit(base_url)
    did = curl("GET", path, headers)
    with socket.socket() as connection:
        if window:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        connection.settimeout(seconds)
        try:
            connection.connect((url.hostname, url.port))
            lines = [f"GET {path} HTTP/1.1", f"Host: {url.netloc}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
        except OSError as error:
            raise Failure(
                expected="The service takes the request.",
                got=str(error),
                because="A service that takes no connection is down.",
                did=did,
            ) from None
        answer = Streamed(connection, did, time.monotonic() + seconds)
        answer.read_head()
        yield answer
