"""Load begins at one instant, streams tell their first byte, memory is that of the whole family."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from graders.check import CannotJudge, Failure
from graders.probes.load import at_once
from graders.probes.memory import resident, watched
from graders.probes.played import Asked, PlayedServer, Reply
from graders.probes.stream import streamed

MIB = 1024**2


def test_all_are_there_before_the_first_begins() -> None:
    inside, most = 0, 0
    lock, all_in = threading.Lock(), threading.Barrier(20)

    def work(number: int) -> int:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        all_in.wait(10)  # breaks unless all run at the same time
        return number

    assert at_once([lambda number=number: work(number) for number in range(20)]) == list(range(20))  # type: ignore[misc]
    assert most == 20


def test_what_one_raises_comes_out() -> None:
    def fail() -> None:
        raise Failure(expected="", got="", because="")

    with pytest.raises(Failure):
        at_once([lambda: None, fail])
    assert at_once([]) == []


@pytest.fixture
def server() -> Iterator[PlayedServer]:
    held = threading.Event()

    def answer(asked: Asked) -> Reply:
        return Reply(None, held=held) if asked.path == "/held" else Reply(200, b"x" * 200_000)

    server = PlayedServer(answer)
    yield server
    held.set()
    server.close()


def test_a_stream_is_read_as_far_as_one_likes(server: PlayedServer) -> None:
    with streamed(server.url, "/", {"X-Tenant-ID": "1"}) as answer:
        assert answer.status == 200
        assert answer.did == "curl -s -H 'X-Tenant-ID: 1' http://127.0.0.1:8080/"
        assert answer.read(10) == b"x" * 10
        while answer.read():
            pass
        assert answer.received == 200_000


def test_a_stream_that_never_begins_fails(server: PlayedServer) -> None:
    began = time.monotonic()
    with pytest.raises(Failure), streamed(server.url, "/held", {}, seconds=0.2):
        pass
    assert time.monotonic() - began < 5


CHILD = "import sys; sys.stdin.readline(); b = bytearray(b'x') * (60 << 20); print('full', flush=True); sys.stdin.readline()"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])"


def test_memory_is_that_of_the_family_and_its_peak_is_kept() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        with watched(lambda: resident(process.pid)) as peak:
            process.stdin.write(b"\n")
            process.stdin.flush()
            assert process.stdout.readline() == b"full\n"
        assert peak.growth >= 55 * MIB
        assert peak.looks >= 1
        assert resident(process.pid) >= 60 * MIB
        process.stdin.close()


def test_a_process_that_is_gone_is_no_measurement() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with pytest.raises(CannotJudge):
        resident(process.pid)
