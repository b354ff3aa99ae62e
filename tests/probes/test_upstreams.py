"""An upstream that is played does what its script says, works once for each key, and remembers every call."""

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException

import pytest

from graders.probes.played import PlayedServer
from graders.probes.upstreams import CUT, HOLD, LOSE, Upstream, mail_server, payment_provider, refuse, waits


@pytest.fixture
def provider() -> Upstream:
    return payment_provider()


@pytest.fixture
def server(provider: Upstream) -> Iterator[PlayedServer]:
    server = PlayedServer(provider.answer)
    yield server
    provider.release()
    server.close()


def charge(server: PlayedServer, reference: str, key: str = "", path: str = "/charges") -> int | None:
    """The status, or None without an answer."""
    body = f'{{"amount_cents": 1, "currency": "EUR", "reference": "{reference}"}}'.encode()
    request = urllib.request.Request(server.url + path, body, {"Idempotency-Key": key} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return refusal.code
    except (OSError, HTTPException):
        return None


def test_a_script_is_met_in_its_order(server: PlayedServer, provider: Upstream) -> None:
    provider.script("A", refuse(503), CUT, then=refuse(422))
    assert [charge(server, "A", "k") for _ in range(4)] == [503, None, 422, 422]
    assert [call.key for call in provider.calls("A")] == ["k"] * 4
    assert all(waited > 0 for waited in waits(provider.calls("A")))
    assert provider.works("A") == 0
    assert charge(server, "B", "other") == 201
    assert provider.works("B") == 1


def test_a_lost_answer_is_work_that_was_done_once(server: PlayedServer, provider: Upstream) -> None:
    provider.script("A", LOSE)
    assert [charge(server, "A", "k") for _ in range(3)] == [None, 201, 201]
    assert provider.works("A") == 1


def test_work_is_done_again_under_another_key_or_none(server: PlayedServer, provider: Upstream) -> None:
    assert [charge(server, "A", key) for key in ("k", "l", "", "")] == [201] * 4
    assert provider.works("A") == 4


def test_who_is_held_is_let_go_without_an_answer(server: PlayedServer, provider: Upstream) -> None:
    provider.script("A", HOLD)
    answers: list[int | None] = []
    caller = threading.Thread(target=lambda: answers.append(charge(server, "A", "k")))
    caller.start()
    assert len(provider.await_calls("A", 1)) == 1
    assert charge(server, "A", "k") == 201
    assert answers == []
    provider.release()
    caller.join(10)
    assert answers == [None]


def test_who_is_held_about_something_else_stays_held(server: PlayedServer, provider: Upstream) -> None:
    for subject in ("A", "B"):
        provider.script(subject, HOLD)
    answers: list[str] = []

    def call(subject: str) -> None:
        charge(server, subject, "k")
        answers.append(subject)

    callers = [threading.Thread(target=call, args=(subject,)) for subject in ("A", "B")]
    for caller in callers:
        caller.start()
    assert all(len(provider.await_calls(subject, 1)) == 1 for subject in ("A", "B"))
    provider.release("B")
    callers[1].join(10)
    assert answers == ["B"]
    provider.release()
    callers[0].join(10)
    assert answers == ["B", "A"]


def test_a_script_for_nobody_is_for_whoever_has_none(server: PlayedServer, provider: Upstream) -> None:
    provider.script("", refuse(503))
    provider.script("B", refuse(402))
    assert [charge(server, subject, "k") for subject in ("B", "A", "A")] == [402, 503, 201]


def test_what_is_no_call_is_remembered_as_a_fault(server: PlayedServer, provider: Upstream) -> None:
    assert charge(server, "A", path="/other") == 404
    request = urllib.request.Request(server.url + "/charges", b"no json")
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=10)
    refusal.value.close()
    assert len(provider.faults()) == 2
    assert provider.calls("A") == ()


def test_mail_has_another_path_and_status() -> None:
    server = PlayedServer(mail_server().answer)
    request = urllib.request.Request(server.url + "/messages", b'{"to": "a@b", "subject": "", "text": ""}')
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 202
    server.close()


BODY = b'{"amount_cents": 1, "currency": "EUR", "reference": "A"}'


def sent(server: PlayedServer, head: str, *pieces: bytes) -> bytes:
    """What is answered to bytes as they stand, after which nothing more comes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(f"POST /charges HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n".encode() + b"".join(pieces))
        line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(4096), b""))


@pytest.mark.parametrize("cut_off", [b"", BODY[:20], BODY[:-1]])
def test_who_is_ended_in_the_middle_of_a_call_has_asked_nothing(
    server: PlayedServer, provider: Upstream, cut_off: bytes
) -> None:
    assert sent(server, f"Content-Length: {len(BODY)}", cut_off) == b""
    assert not provider.all_calls()
    assert not provider.faults()


def test_a_body_in_chunks_is_a_body(server: PlayedServer, provider: Upstream) -> None:
    first, second = BODY[:17], BODY[17:]
    chunks = b"%x\r\n%b\r\n%X;name=value\r\n%b\r\n0\r\n\r\n" % (len(first), first, len(second), second)
    assert b" 201 " in sent(server, "Transfer-Encoding: Chunked", chunks)
    assert provider.works("A") == 1


@pytest.mark.parametrize(
    "chunks", [b"", b"38\r\n" + BODY, b"38\r\n" + BODY + b"\r\n", b"x\r\n", b"-1\r\n\r\n"]
)
def test_chunks_that_do_not_end_are_nothing(server: PlayedServer, provider: Upstream, chunks: bytes) -> None:
    assert len(BODY) == 0x38
    assert sent(server, "Transfer-Encoding: chunked", chunks) == b""
    assert not provider.all_calls()
    assert not provider.faults()
