"""The service over HTTP, as any client sees it. Whatever it does (slow, huge, malformed) becomes a Failure."""

import json
import random
import shlex
import string
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from graders.check import Failure
from graders.probes.line import Line, Request, Trouble
from graders.probes.strict_json import NotStrict, parse
from graders.probes.transcript import Transcript

SHOWN_AS = "http://127.0.0.1:8080"
SECONDS = 10.0
MOST_SHOWN = 300  # characters of a body
UNPAIRED = "surrogatepass"  # halves of surrogate pairs, which an answer may hold, go out as they came

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
class Bearer:
    """An access token, and the shell's words for one like it, which run while `octo_lab run` is up."""

    token: str = field(repr=False)
    shown: str
    scheme: str = "Bearer"

    def header(self) -> dict[str, str]:
        return {"Authorization": f"{self.scheme} {self.token}"}

    def spoken(self) -> str:
        """The option of curl, for the shell to fill in."""
        return f'-H "Authorization: {self.scheme} {self.shown}"'


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
                expected="A JSON body.",
                got=f"{self.summary()}\n{fault}",
                because="Clients parse every answer: one that is not JSON breaks all of them at once.",
                did=self.did,
            ) from None

    def expect(self, status: int, *, because: str) -> "Answer":
        """This answer, if it has the promised status."""
        if self.status != status:
            raise Failure(expected=f"Status {status}.", got=self.summary(), because=because, did=self.did)
        return self

    def summary(self) -> str:
        """Status and the beginning of the body, on two lines at most."""
        text = " ".join(self.body[:1200].decode("utf-8", "replace").split())
        shown = text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]} ..."
        return f"status {self.status}" + (f"\n{shown}" if shown else " with an empty body")


class Api:
    """A client of one running service. shows_head: its curl lines show status and headers, too (`-i`)."""

    def __init__(
        self,
        base_url: str,
        steps: Transcript,
        draw: random.Random | None = None,
        *,
        shows_head: bool = False,
    ) -> None:
        draw = draw or random.Random()  # noqa: S311 - a fingerprint, not a secret
        self._steps = steps
        self._flags = "-si" if shows_head else "-s"
        self._headers = _fingerprint(draw)
        self._line = Line(base_url)

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
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
        bearer: Bearer | None = None,
    ) -> Answer:
        """One request, answered completely within `seconds` in all, or a Failure.

        json: a body to encode (None: no body). body: one as it stands, instead. Both go as application/json, unless
        `headers` say otherwise: these come last and win.
        """
        target = _in_a_url(path) + ("?" + urlencode(params, errors=UNPAIRED) if params else "")
        body = _encode(json) if body is None else body
        extra = (
            identity(tenant) | ({"Content-Type": "application/json"} if body else {}) | dict(headers or {})
        )
        did = curl(method, target, extra, body, flags=self._flags, spoken=bearer.spoken() if bearer else "")
        self._steps.did(did)
        signed = bearer.header() if bearer else {}
        request = Request(method, target, self._headers | extra | signed, body, seconds)
        outcome = self._line.send(request)
        if isinstance(outcome, Trouble):
            raise Failure(expected="A complete answer.", got=outcome.what, because=outcome.because, did=did)
        status, answered, content = outcome
        return Answer(did, status, answered, content)


def identity(tenant: int | str | None) -> dict[str, str]:
    """The headers that say for whom a request is made. The one place that knows how."""
    return {} if tenant is None else {"X-Tenant-ID": str(tenant)}


def curl(
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    *,
    flags: str = "-s",
    spoken: str = "",
) -> str:
    """The line a learner can paste while `octo_lab run` is up. `spoken`: an option that the shell fills in."""
    start = " ".join(filter(None, ["curl", flags, spoken]))
    parts = _method(method, body)
    for name, value in headers.items():
        parts += ["-H", f"{name}: {value}"]
    url = SHOWN_AS + target
    if not body:
        return f"{start} {shlex.join([*parts, url])}"
    try:
        return f"{start} {shlex.join([*parts, '-d', _visible(body.decode()), url])}"
    except UnicodeDecodeError:
        # Bash's $'...' can say any byte.
        return f"{start} {shlex.join(parts)} -d ${repr(body)[1:]} {shlex.quote(url)}"


def _visible(body: str) -> str:
    """The same JSON with whatever a terminal does not show as escapes. What is no JSON stands as it is."""
    if not body.isprintable():
        with suppress(ValueError):
            return json.dumps(json.loads(body))
    return body


def _method(method: str, body: bytes | None) -> list[str]:
    if method == "HEAD":  # with -X, curl would wait for the body that does not come
        return ["--head"]
    return ["-X", method] if method != "GET" and not (method == "POST" and body) else []


def _fingerprint(draw: random.Random) -> dict[str, str]:
    headers = [
        ("User-Agent", draw.choice(CLIENTS)),
        ("Accept", draw.choice(("*/*", "application/json", "application/json, */*;q=0.5"))),
        ("Accept-Encoding", draw.choice(("gzip, deflate", "identity", "deflate, gzip"))),
        ("Connection", "keep-alive"),
    ]
    draw.shuffle(headers)
    return dict(headers)


def _in_a_url(path: str) -> str:
    """The path with whatever no request line can hold in percent-encoding; the rest stands as it was given."""
    return quote(path, safe=string.punctuation, errors=UNPAIRED)


def _encode(body: object) -> bytes | None:
    try:
        return None if body is None else json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a surrogate pair: JSON can say it, UTF-8 cannot
        return json.dumps(body).encode()


def status_of(url: str, seconds: float) -> int | None:
    """The status of one plain GET, or None where nothing answers in time. For readiness: silence is no fault there."""
    request = Request("GET", urlsplit(url).path or "/", {}, None, seconds)
    line = Line(url)
    outcome = line.send(request)
    line.close()
    return None if isinstance(outcome, Trouble) else outcome[0]
