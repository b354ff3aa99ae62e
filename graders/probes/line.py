"""One kept-alive HTTP connection with a total deadline and a size cap, whatever the other end does."""

import queue
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError, TimeoutError

from graders.probes.prompt_acks import PromptPool

MOST_BYTES = 4_000_000
MOST_HEADER_BYTES = 65_536
CHUNK = 65_536
KEPT_ALIVE = 1.0  # seconds; a connection that idled for longer may be closed by the service at any moment


@dataclass(frozen=True)
class Request:
    """What to send. `seconds` bound the whole exchange, from the first byte sent to the last received."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None
    seconds: float


@dataclass(frozen=True)
class Trouble:
    """Why there is no complete answer, and why that matters."""

    what: str
    because: str


Outcome = tuple[int, Mapping[str, str], bytes] | Trouble
_Letter = tuple[Request, "queue.SimpleQueue[Outcome]"]
_Mailbox = queue.SimpleQueue[_Letter | None]


class Line:
    """One kept-alive connection, used from a thread of its own: a drip of bytes can't hold the caller up."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._requests: _Mailbox | None = None
        self._socket: socket.socket | None = None

    def send(self, request: Request) -> Outcome:
        """The outcome within the request's seconds. Should the caller not wait so long, it ends here too."""
        if self._requests is None:
            self._requests = queue.SimpleQueue()
            threading.Thread(
                target=_serve, args=(self._base_url, self._requests, self._opened), daemon=True
            ).start()
        reply: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._requests.put((request, reply))
        try:
            return reply.get(timeout=request.seconds + 1)
        except queue.Empty:
            self._cut()
            return _too_slow(request.seconds)
        except BaseException:
            self._cut()
            raise

    def close(self) -> None:
        if self._requests is not None:
            self._requests.put(None)
            self._requests = None

    def _cut(self) -> None:
        """End the thread too, which may be reading what has no end: header after header, chunk after chunk."""
        self.close()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _opened(self, connected: socket.socket) -> None:
        self._socket = connected


def _serve(base_url: str, requests: _Mailbox, opened: Callable[[socket.socket], None]) -> None:
    url = urlsplit(base_url)
    used = time.monotonic()
    pool = PromptPool(url.hostname or "", url.port, opened)
    while (letter := requests.get()) is not None:
        request, reply = letter
        if time.monotonic() - used > KEPT_ALIVE:
            pool.close()
            pool = PromptPool(url.hostname or "", url.port, opened)
        reply.put(_exchange(pool, request))
        used = time.monotonic()
    pool.close()


def _exchange(pool: PromptPool, request: Request) -> Outcome:
    deadline = time.monotonic() + request.seconds
    try:
        response = pool.urlopen(
            request.method,
            request.target,
            body=request.body,
            headers=request.headers,
            timeout=request.seconds,
            redirect=False,
            preload_content=False,
        )
        content = _too_much_header(response) or _read(response, deadline, request.seconds)
        if isinstance(content, Trouble):
            response.close()
            return content
        response.release_conn()
        return response.status, response.headers, content
    except TimeoutError:
        return _too_slow(request.seconds)
    except (HTTPError, OSError, ValueError) as error:
        return Trouble(
            f"the connection broke: {_plain(error)}",
            "A caller that gets no answer does not know whether its request took effect.",
        )


def _too_much_header(response: BaseHTTPResponse) -> Trouble | None:
    """http.client bounds each line and their number; together that would still be 6 MB an answer."""
    size = sum(len(name) + len(value) for name, value in response.headers.items())
    if size <= MOST_HEADER_BYTES:
        return None
    return Trouble(
        f"{size // 1000} kB of headers",
        "Proxies and clients refuse an answer whose headers are larger than some kilobytes.",
    )


def _read(response: BaseHTTPResponse, deadline: float, seconds: float) -> bytes | Trouble:
    content = bytearray()
    for chunk in response.stream(CHUNK, decode_content=True):
        content += chunk
        if len(content) > MOST_BYTES:
            return Trouble(
                f"more than {MOST_BYTES // 1_000_000} MB of body, and no end in sight",
                "An answer without a bound takes memory from the service, the network and the caller alike.",
            )
        if time.monotonic() > deadline:
            return _too_slow(seconds)
    return bytes(content)


def _too_slow(seconds: float) -> Trouble:
    return Trouble(
        f"no complete answer within {seconds:g} seconds",
        "Callers give up long before that, and every waiting request holds a worker and a connection.",
    )


def _plain(error: Exception) -> str:
    """The innermost reason, without the library's wrapping."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return str(cause) or type(cause).__name__
