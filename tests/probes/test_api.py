"""Whatever a service does to its client ends in a Failure, in time and within bounds."""

import gzip
import random
import shlex
import signal
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from graders.check import Failure
from graders.probes.api import Api, status_of
from graders.probes.line import MOST_BYTES
from graders.probes.transcript import Transcript

Behaviour = Callable[[socket.socket, bytes], None]


class Stub:
    """A server that treats every connection as `behaviour` says, and remembers what it was sent."""

    def __init__(self) -> None:
        self.behaviour: Behaviour = reply(b"{}")
        self.requests: list[bytes] = []
        self.stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while request := connection.recv(65_536):
                self.requests.append(request)
                self.behaviour(connection, request)


def reply(body: bytes, headers: str = "", status: str = "200 OK") -> Behaviour:
    def send(connection: socket.socket, request: bytes) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        connection.sendall(head.encode() + body)

    return send


@pytest.fixture
def stub() -> Iterator[Stub]:
    stub = Stub()
    yield stub
    stub.close()


@pytest.fixture
def steps() -> Transcript:
    return Transcript()


@pytest.fixture
def api(stub: Stub, steps: Transcript) -> Api:
    return Api(stub.url, steps)


def test_an_answer_is_read_whole(stub: Stub, api: Api) -> None:
    stub.behaviour = reply(b'{"a": 1}', "X-Request-ID: 7\r\n")
    answer = api.get("/v1/things", tenant=3, params={"limit": 2})
    assert (answer.status, answer.json(), answer.headers["x-request-id"]) == (200, {"a": 1}, "7")
    assert b"GET /v1/things?limit=2 HTTP/1.1" in stub.requests[0]
    assert b"X-Tenant-ID: 3" in stub.requests[0]


def test_every_request_is_recorded_as_a_line_to_paste(api: Api, steps: Transcript) -> None:
    api.post("/v1/it's", tenant=3, json={"number": "Ä'7"})
    words = shlex.split(steps.last())
    assert words[0] == "curl"
    assert words[words.index("-d") + 1] == '{"number": "Ä\'7"}'
    assert words[-1] == "http://127.0.0.1:8080/v1/it's"


def test_a_post_without_a_body_says_so(api: Api, steps: Transcript) -> None:
    api.post("/v1/invoices/7/void", tenant=1)
    assert "-X POST" in steps.last()


def test_nothing_in_a_request_says_who_asks(stub: Stub) -> None:
    for seed in range(20):
        Api(stub.url, Transcript(), random.Random(seed)).get("/v1/things", tenant=1)
    sent = b"".join(stub.requests).lower()
    assert not any(word in sent for word in (b"octo", b"grade", b"urllib", b"python-requests"))
    assert len({request.split(b"\r\n")[2].split(b":")[0] for request in stub.requests}) > 1


def test_a_redirect_is_an_answer(stub: Stub, api: Api) -> None:
    stub.behaviour = reply(b"", "Location: /elsewhere\r\n", "302 Found")
    assert api.get("/v1/things").status == 302
    assert len(stub.requests) == 1


def drip(parts: bytes) -> Behaviour:
    def send(connection: socket.socket, request: bytes) -> None:
        for byte in parts:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)

    return send


@pytest.mark.parametrize(
    "behaviour",
    [
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b" " * 1000),
        drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000),
        lambda connection, request: time.sleep(3),
    ],
    ids=["body by drips", "headers by drips", "silence"],
)
def test_the_deadline_is_for_the_whole_answer(stub: Stub, api: Api, behaviour: Behaviour) -> None:
    stub.behaviour = behaviour
    started = time.monotonic()
    with pytest.raises(Failure) as failed:
        api.get("/v1/things", seconds=0.3)
    assert "0.3 seconds" in failed.value.got
    assert time.monotonic() - started < 2.5
    stub.behaviour = reply(b"{}")
    assert api.get("/v1/things", seconds=2).status == 200


def endless(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")


def flood(part: bytes, head: bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") -> Behaviour:
    def send(connection: socket.socket, request: bytes) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(part)

    return send


NOTHING_YET = gzip.compress(b"")[:10]  # only a header; empty stored blocks may follow for ever
EMPTY_BLOCKS = b"\x00\x00\x00\xff\xff" * 1000


@pytest.mark.parametrize(
    "behaviour",
    [
        flood(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, b""),
        flood(b"X-Trailer: 1\r\n" * 1000, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"),
        flood(
            b"1388\r\n" + EMPTY_BLOCKS + b"\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
            b"a\r\n" + NOTHING_YET + b"\r\n",
        ),
    ],
    ids=["100 Continue", "trailers", "compressed nothing"],
)
def test_what_has_no_end_ends_with_the_deadline(stub: Stub, api: Api, behaviour: Behaviour) -> None:
    """Also the thread that reads it: else it would go on for the rest of the grade."""
    before = threading.active_count()
    stub.behaviour = behaviour
    with pytest.raises(Failure) as failed:
        api.get("/v1/things", seconds=0.3)
    assert "0.3 seconds" in failed.value.got
    stub.close()
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_a_caller_that_is_interrupted_leaves_nothing_on_the_line(
    stub: Stub, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check whose budget is used up ends in the middle of a request; the next check begins anew."""
    stub.behaviour = lambda connection, request: time.sleep(3)
    with pytest.raises(InterruptedError), interrupted_after(0.2):
        api.get("/v1/things", seconds=5)
    stub.behaviour = reply(b"{}")
    assert api.get("/v1/things", seconds=2).status == 200


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    def late(*_: object) -> None:
        raise InterruptedError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        (reply(b"{}", "".join(f"X-{n}: {'x' * 1000}\r\n" for n in range(90))), "90 kB of headers"),
        (reply(b"{}", "X-A: 1\r\n" * 200), "100 headers"),
        (reply(b"{}", f"X-A: {'x' * 70_000}\r\n"), "header line"),
        (flood(b"x" * 65_536, b"HTTP/1.1 200 OK\r\nX-A: "), "header line"),
        (flood(b"x" * 65_536, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x="), "length"),
    ],
    ids=["much", "many", "a long one", "one without end", "a chunk extension without end"],
)
def test_headers_have_a_bound(stub: Stub, api: Api, behaviour: Behaviour, told: str) -> None:
    stub.behaviour = behaviour
    with pytest.raises(Failure) as failed:
        api.get("/v1/things", seconds=5)
    assert told in failed.value.got


def memory_of(body: bytes, encoding: str) -> int:
    """The most memory in bytes that Python took while an answer with this body was read."""
    stub = Stub()
    stub.behaviour = reply(body, f"Content-Encoding: {encoding}\r\n")
    tracemalloc.start()
    try:
        with pytest.raises(Failure) as failed:
            Api(stub.url, Transcript()).get("/v1/things", seconds=5)
        assert "MB of body" in failed.value.got
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        stub.close()


@pytest.mark.parametrize("times", [1, 2], ids=["gzip", "gzip in gzip"])
def test_a_bomb_is_not_unpacked_first(times: int) -> None:
    """The bound counts what has been unpacked, and no step unpacks much more than a step's worth."""
    body, encoding = bytes(200_000_000), ", ".join(["gzip"] * times)
    for _ in range(times):
        body = gzip.compress(body)
    assert memory_of(body, encoding) < 5 * MOST_BYTES


@pytest.mark.parametrize(
    "behaviour",
    [endless, reply(gzip.compress(b"0" * (MOST_BYTES * 5)), "Content-Encoding: gzip\r\n")],
    ids=["endless", "compressed"],
)
def test_a_body_has_a_bound(stub: Stub, api: Api, behaviour: Behaviour) -> None:
    stub.behaviour = behaviour
    with pytest.raises(Failure) as failed:
        api.get("/v1/things", seconds=5)
    assert "MB of body" in failed.value.got


@pytest.mark.parametrize(
    "behaviour",
    [
        lambda connection, request: connection.close(),
        lambda connection, request: connection.sendall(b"220 smtp.example ready\r\n"),
        reply(b"not gzip", "Content-Encoding: gzip\r\n"),
        lambda connection, request: (
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"),
            connection.close(),
        ),
    ],
    ids=["closed", "another protocol", "false encoding", "cut short"],
)
def test_a_broken_connection_is_a_failure(stub: Stub, api: Api, behaviour: Behaviour) -> None:
    stub.behaviour = behaviour
    with pytest.raises(Failure) as failed:
        api.get("/v1/things", seconds=2)
    assert failed.value.did.startswith("curl")


def test_bad_json_shows_the_answer(stub: Stub, api: Api) -> None:
    stub.behaviour = reply(b"<h1>Not today</h1>", status="503 Service Unavailable")
    with pytest.raises(Failure) as failed:
        api.get("/v1/things").json()
    assert "status 503" in failed.value.got
    assert "Not today" in failed.value.got


def test_an_idle_connection_is_not_used_again(stub: Stub, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graders.probes.line.KEPT_ALIVE", 0.0)

    def once(connection: socket.socket, request: bytes) -> None:
        reply(b"{}")(connection, request)
        connection.close()

    stub.behaviour = once
    assert [api.get("/v1/things").status for _ in range(5)] == [200] * 5


def test_readiness_is_asked_without_a_fuss(stub: Stub) -> None:
    stub.behaviour = reply(b"", status="503 Service Unavailable")
    assert status_of(f"{stub.url}/readyz", seconds=2) == 503
    stub.close()
    assert status_of(f"{stub.url}/readyz", seconds=2) is None
