"""A server of the outside world that the grader plays: HTTP on loopback, which remembers what it was asked.

Who is played (an identity provider, a payment provider) stands in a module of its own, as an `Answers`.
"""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from compose.ports import HOST

MOST_BODY = 256 * 1024
MOST_AT_ONCE = 64
SECONDS_FOR_A_REQUEST = 10
CRLF = b"\r\n"
CHUNK_HEAD = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(;.*)?\r\n\Z")
MOST_CHUNK_HEAD = 256


@dataclass(frozen=True)
class Asked:
    """One request that came in. `path` is as sent, with its query; the names of `headers` are in small letters."""

    method: str
    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What is answered. No status: the connection is closed without a word, as by a server that is down.

    held: nothing is answered before this is set.
    """

    status: int | None
    body: bytes = b""
    media_type: str = "application/json"
    held: threading.Event | None = None


Answers = Callable[[Asked], Reply]
DOWN = Reply(None)
BROKEN = Reply(500, b'{"error": "internal"}')


class PlayedServer:
    """Serves from threads of its own until it is closed. The submission calls it, so nothing that comes in is trusted."""

    def __init__(self, answers: Answers, port: int = 0) -> None:
        self._server = _Server((HOST, port), _Handler)
        self._server.answers = answers
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    answers: Answers

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._room = threading.BoundedSemaphore(MOST_AT_ONCE)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    timeout = SECONDS_FOR_A_REQUEST
    server: _Server

    def _answer(self) -> None:
        self.close_connection = True
        body = self._chunks() if self._is_chunked() else self._sized()
        if body is None:  # its caller was ended in the middle of it: nothing was asked
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.answers(Asked(self.command, self.path, body, headers))
        if reply.held:
            reply.held.wait()
        if reply.status is None:
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.media_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def _is_chunked(self) -> bool:
        return self.headers.get("Transfer-Encoding", "").strip().lower() == "chunked"

    def _sized(self) -> bytes | None:
        """The body, or None where it ends too early."""
        length = self.headers.get("Content-Length", "0")
        size = min(int(length), MOST_BODY) if length.isascii() and length.isdigit() else 0
        body = self.rfile.read(size)
        return body if len(body) == size else None

    def _chunks(self) -> bytes | None:
        """The body that comes in chunks (RFC 9112, section 7.1), or None where it ends too early."""
        body = b""
        while len(body) < MOST_BODY:
            head = CHUNK_HEAD.match(self.rfile.readline(MOST_CHUNK_HEAD))
            size = min(int(head[1], 16), MOST_BODY) if head else -1
            piece = self.rfile.read(size + len(CRLF)) if head else b""
            if len(piece) < size + len(CRLF):
                return None
            if size == 0:
                return body
            body += piece[:size]
        return body

    do_GET = do_POST = do_HEAD = _answer  # noqa: N815 - the names that http.server asks for

    def log_message(self, format: str, *args: Any) -> None:
        """What was asked is in the hands of whoever is played."""
