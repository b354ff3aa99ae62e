"""The service over HTTP, as any client sees it. Whatever it does (slow, huge, malformed) becomes a Failure."""

import json
import queue
import random
import shlex
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError, TimeoutError

from graders.check import Failure
from graders.probes.prompt_acks import PromptPool
from graders.probes.strict_json import NotStrict, parse
from graders.probes.transcript import Transcript

SHOWN_AS = "http://127.0.0.1:8080"
SECONDS = 10.0
MOST_BYTES = 4_000_000
CHUNK = 65_536
KEPT_ALIVE = 1.0  # seconds; a connection that idled for longer may be closed by the service at any moment

# What real clients send. Which one it is, and the order of its headers, is drawn anew for every client.
CLIENTS = (
    "curl/8.14.1",
    "python-httpx/0.28.1",
    "Go-http-client/1.1",
    "okhttp/5.1.0",
    "axios/1.11.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
)


@dataclass(frozen=True)
class Answer:
    """One HTTP response, read to its end. `did` is the curl line that repeats the request."""

    did: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as strictly read JSON (RFC 8259: no NaN, no name twice)."""
        try:
            return parse(self.body)
        except NotStrict as fault:
            raise Failure(
                expected="a JSON body",
                got=f"{self.summary()}\n{fault}",
                because="clients parse every answer; one that is not JSON breaks them all at once",
                did=self.did,
            ) from None

    def expect(self, status: int, *, because: str) -> "Answer":
        """This answer, if it has the promised status."""
        if self.status != status:
            raise Failure(expected=f"status {status}", got=self.summary(), because=because, did=self.did)
        return self

    def summary(self) -> str:
        """Status and the beginning of the body, on two lines at most."""
        text = " ".join(self.body[:400].decode("utf-8", "replace").split())
        return f"status {self.status}" + (f"\n{text[:300]}" if text else " with an empty body")


class Api:
    """A client of one running service."""

    def __init__(self, base_url: str, steps: Transcript, draw: random.Random | None = None) -> None:
        draw = draw or random.Random()  # noqa: S311 - a fingerprint, not a secret
        self._steps = steps
        self._headers = _fingerprint(draw)
        self._line = _Line(base_url)

    def get(
        self,
        path: str,
        *,
        tenant: int | str | None = None,
        params: Mapping[str, str | int] | None = None,
        seconds: float = SECONDS,
    ) -> Answer:
        return self.send("GET", path, tenant=tenant, params=params, seconds=seconds)

    def post(
        self,
        path: str,
        *,
        tenant: int | str | None = None,
        json: object = None,
        seconds: float = SECONDS,
    ) -> Answer:
        return self.send("POST", path, tenant=tenant, json=json, seconds=seconds)

    def send(
        self,
        method: str,
        path: str,
        *,
        tenant: int | str | None = None,
        params: Mapping[str, str | int] | None = None,
        json: object = None,
        seconds: float = SECONDS,
    ) -> Answer:
        """One request, answered completely within `seconds` in all, or a Failure."""
        target = path + ("?" + urlencode(params) if params else "")
        body = _encode(json)
        extra = identity(tenant) | ({"Content-Type": "application/json"} if body else {})
        did = curl(method, target, extra, body)
        self._steps.did(did)
        request = _Request(method, target, self._headers | extra, body, seconds)
        outcome = self._line.send(request)
        if isinstance(outcome, _Trouble):
            raise Failure(expected="a complete answer", got=outcome.what, because=outcome.because, did=did)
        status, answered, content = outcome
        return Answer(did, status, answered, content)


def identity(tenant: int | str | None) -> dict[str, str]:
    """The headers that say for whom a request is made. The one place that knows how."""
    return {} if tenant is None else {"X-Tenant-ID": str(tenant)}


def curl(method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> str:
    """The line a learner can paste while `octo_lab run` is up."""
    parts = ["curl", "-s", *(["-X", method] if method != "GET" and not (method == "POST" and body) else [])]
    for name, value in headers.items():
        parts += ["-H", f"{name}: {value}"]
    if body:
        parts += ["-d", body.decode()]
    return shlex.join([*parts, SHOWN_AS + target])


@dataclass(frozen=True)
class _Request:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None
    seconds: float


@dataclass(frozen=True)
class _Trouble:
    what: str
    because: str


_Outcome = tuple[int, Mapping[str, str], bytes] | _Trouble
_Letter = tuple[_Request, "queue.SimpleQueue[_Outcome]"]
_Mailbox = queue.SimpleQueue[_Letter | None]


class _Line:
    """One kept-alive connection, used from a thread of its own: a drip of bytes can't hold the caller up."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._requests: _Mailbox | None = None

    def send(self, request: _Request) -> _Outcome:
        """The outcome within the request's seconds. A thread that does not come back is left behind."""
        if self._requests is None:
            self._requests = queue.SimpleQueue()
            threading.Thread(target=_serve, args=(self._base_url, self._requests), daemon=True).start()
        reply: queue.SimpleQueue[_Outcome] = queue.SimpleQueue()
        self._requests.put((request, reply))
        try:
            return reply.get(timeout=request.seconds + 1)
        except queue.Empty:
            self.close()
            return _too_slow(request.seconds)

    def close(self) -> None:
        if self._requests is not None:
            self._requests.put(None)
            self._requests = None


def _serve(base_url: str, requests: _Mailbox) -> None:
    url = urlsplit(base_url)
    used = time.monotonic()
    pool = PromptPool(url.hostname or "", url.port, maxsize=1, retries=False)
    while (letter := requests.get()) is not None:
        request, reply = letter
        if time.monotonic() - used > KEPT_ALIVE:
            pool.close()
            pool = PromptPool(url.hostname or "", url.port, maxsize=1, retries=False)
        reply.put(_exchange(pool, request))
        used = time.monotonic()
    pool.close()


def _exchange(pool: PromptPool, request: _Request) -> _Outcome:
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
        content = _read(response, deadline, request.seconds)
        if isinstance(content, _Trouble):
            response.close()
            return content
        response.release_conn()
        return response.status, response.headers, content
    except TimeoutError:
        return _too_slow(request.seconds)
    except (HTTPError, OSError, ValueError) as error:
        return _Trouble(
            f"the connection broke: {_plain(error)}",
            "a caller that gets no answer does not know whether its request took effect",
        )


def _read(response: BaseHTTPResponse, deadline: float, seconds: float) -> bytes | _Trouble:
    content = bytearray()
    for chunk in response.stream(CHUNK, decode_content=True):
        content += chunk
        if len(content) > MOST_BYTES:
            return _Trouble(
                f"more than {MOST_BYTES // 1_000_000} MB of body, and no end in sight",
                "an answer without a bound takes memory from the service, the network and the caller alike",
            )
        if time.monotonic() > deadline:
            return _too_slow(seconds)
    return bytes(content)


def _too_slow(seconds: float) -> _Trouble:
    return _Trouble(
        f"no complete answer within {seconds:g} seconds",
        "callers give up long before that, and every waiting request holds a worker and a connection",
    )


def _fingerprint(draw: random.Random) -> dict[str, str]:
    headers = [
        ("User-Agent", draw.choice(CLIENTS)),
        ("Accept", draw.choice(("*/*", "application/json", "application/json, */*;q=0.5"))),
        ("Accept-Encoding", draw.choice(("gzip, deflate", "identity", "deflate, gzip"))),
        ("Connection", "keep-alive"),
    ]
    draw.shuffle(headers)
    return dict(headers)


def _encode(body: object) -> bytes | None:
    return None if body is None else json.dumps(body, ensure_ascii=False).encode()


def _plain(error: Exception) -> str:
    """The innermost reason, without the library's wrapping."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return str(cause) or type(cause).__name__


def status_of(url: str, seconds: float) -> int | None:
    """The status of one plain GET, or None where nothing answers in time. For readiness: silence is no fault there."""
    request = _Request("GET", urlsplit(url).path or "/", {}, None, seconds)
    line = _Line(url)
    outcome = line.send(request)
    line.close()
    return None if isinstance(outcome, _Trouble) else outcome[0]
