"""The service over HTTP, as any client sees it. Whatever it does, slow, huge or malformed, becomes a Failure."""

import json
import queue
import random
import shlex
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import requests

from graders.check import Failure
from graders.probes.prompt_acks import PromptAdapter
from graders.probes.strict_json import NotStrict, parse
from graders.probes.transcript import Transcript

SHOWN_AS = "http://127.0.0.1:8080"
SECONDS = 10.0
MOST_BYTES = 4_000_000
CHUNK = 65_536

# What real clients send. Which one it is, and in which order its headers stand, is drawn anew for every process.
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
        self._base_url = base_url.rstrip("/")
        self._steps = steps
        self._headers = _fingerprint(draw)
        self._line = _Line()

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
        headers = self._headers | extra
        url = self._base_url + target
        outcome = self._line.call(lambda session: _exchange(session, method, url, headers, body, seconds), seconds)
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
class _Trouble:
    what: str
    because: str


_Outcome = tuple[int, Mapping[str, str], bytes] | _Trouble
_Call = Callable[[requests.Session], _Outcome]


class _Line:
    """One kept-alive connection, used from a thread of its own: a drip of single bytes can't hold the caller up."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[tuple[_Call, queue.SimpleQueue[_Outcome]]] | None = None

    def call(self, call: _Call, seconds: float) -> _Outcome:
        if self._calls is None:
            self._calls = queue.SimpleQueue()
            threading.Thread(target=_serve, args=(self._calls,), daemon=True).start()
        reply: queue.SimpleQueue[_Outcome] = queue.SimpleQueue()
        self._calls.put((call, reply))
        try:
            return reply.get(timeout=seconds + 1)
        except queue.Empty:
            self._calls = None
            return _too_slow(seconds)


def _serve(calls: "queue.SimpleQueue[tuple[_Call, queue.SimpleQueue[_Outcome]]]") -> None:
    session = requests.Session()
    session.mount("http://", PromptAdapter())
    session.trust_env = False
    session.headers.clear()
    while True:
        call, reply = calls.get()
        reply.put(call(session))


def _exchange(
    session: requests.Session,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    seconds: float,
) -> _Outcome:
    deadline = time.monotonic() + seconds
    try:
        with session.request(
            method, url, headers=headers, data=body, timeout=seconds, stream=True, allow_redirects=False
        ) as response:
            content = _read(response, deadline, seconds)
            return content if isinstance(content, _Trouble) else (response.status_code, response.headers, content)
    except requests.Timeout:
        return _too_slow(seconds)
    except (requests.RequestException, OSError, ValueError) as error:
        return _Trouble(
            f"the connection broke: {_plain(error)}",
            "a caller that gets no answer does not know whether its request took effect",
        )


def _read(response: requests.Response, deadline: float, seconds: float) -> bytes | _Trouble:
    content = bytearray()
    for chunk in response.iter_content(CHUNK):
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
    """The status of one plain GET, or None where nothing answers in time. For readiness, where silence is no fault."""
    outcome = _Line().call(lambda session: _exchange(session, "GET", url, {}, None, seconds), seconds)
    return None if isinstance(outcome, _Trouble) else outcome[0]
