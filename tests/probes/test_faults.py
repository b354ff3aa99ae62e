"""Each fault of a gate does to live connections of a real server what its name says, says so, and heals."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from graders.probes.faults import Gate


class Echo:
    """A server that answers each line with the same line, and counts the lines."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as stream:
            try:
                for line in stream:
                    self.lines.append(line)
                    stream.write(line)
                    stream.flush()
            except OSError:
                return


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.listener.close()


@pytest.fixture
def gate(echo: Echo) -> Iterator[Gate]:
    with Gate(echo.port) as gate:
        yield gate


@pytest.fixture
def client(gate: Gate) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", gate.port), 10) as connection:
        assert said(connection, b"hello") == b"hello\n"
        yield connection


def said(connection: socket.socket, text: bytes) -> bytes:
    """What comes back; nothing where the connection has ended."""
    try:
        connection.sendall(text + b"\n")
        return connection.recv(100)
    except ConnectionError:
        return b""


def silent(connection: socket.socket, text: bytes, seconds: float = 0.3) -> bool:
    connection.settimeout(seconds)
    try:
        return said(connection, text) is None
    except TimeoutError:
        return True
    finally:
        connection.settimeout(10)


def test_a_gate_carries_what_passes(gate: Gate, client: socket.socket) -> None:
    assert said(client, b"again") == b"again\n"
    assert (gate.live, gate.connections) == (1, 1)


def test_a_cut_resets_what_is_up_and_what_comes(gate: Gate, client: socket.socket) -> None:
    with gate.cut() as landed:
        assert said(client, b"x") == b""
        with socket.create_connection(("127.0.0.1", gate.port), 10) as late:
            assert said(late, b"x") == b""
        assert landed.await_felt(2)
    assert landed.live == 1
    with socket.create_connection(("127.0.0.1", gate.port), 10) as healed:
        assert said(healed, b"x") == b"x\n"


def test_a_refusal_closes_the_door(gate: Gate, client: socket.socket) -> None:
    with gate.refuse() as landed:
        assert said(client, b"x") == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", gate.port), 10)
    assert (landed.live, landed.connections) == (1, 1)
    with socket.create_connection(("127.0.0.1", gate.port), 10) as healed:
        assert said(healed, b"x") == b"x\n"


def test_what_is_held_arrives_when_it_heals(gate: Gate, client: socket.socket, echo: Echo) -> None:
    with gate.hold() as landed:
        assert silent(client, b"held")
        assert landed.await_felt()
        with socket.create_connection(("127.0.0.1", gate.port), 10) as late:
            assert silent(late, b"late")
            assert landed.await_felt(2)
        assert echo.lines == [b"hello\n"]
    assert client.recv(100) == b"held\n"


def test_half_open_loses_answers_only(gate: Gate, client: socket.socket, echo: Echo) -> None:
    with gate.half_open() as landed:
        assert silent(client, b"asked")
        assert landed.await_felt()
        assert echo.lines == [b"hello\n", b"asked\n"]
    assert said(client, b"x") == b""  # what has lost something can't go on


def test_a_delay_delays(gate: Gate, client: socket.socket) -> None:
    began = time.monotonic()
    with gate.delay(0.2) as landed:
        assert said(client, b"slow") == b"slow\n"
    assert time.monotonic() - began >= 0.4
    assert landed.connections == 1


def test_a_fault_that_met_nobody_says_so(gate: Gate) -> None:
    with gate.hold() as landed:
        assert not landed.await_felt(seconds=0.1)
    assert (landed.live, landed.connections) == (0, 0)
    assert "0 felt it" in landed.proof()


def test_a_reset_is_passed_on(gate: Gate) -> None:
    """A killed client whose last answer nobody read sends a reset: the server must not think that it is still there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gate.target = listener.getsockname()[1]
        listener.settimeout(10)
        with socket.create_connection(("127.0.0.1", gate.port), 10) as client:
            server, _ = listener.accept()
            server.settimeout(10)
            server.sendall(b"an answer that nobody reads")
            assert client.recv(100, socket.MSG_PEEK)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with server, suppress(ConnectionResetError):  # an end is as good as a reset
            assert server.recv(100) == b""
