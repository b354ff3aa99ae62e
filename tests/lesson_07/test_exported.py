"""What HTTP puts between the lines of an export is taken out, and a body that breaks off is noticed."""

import pytest

from graders.check import Failure
from graders.lesson_07.exported import lines, rest
from graders.probes.played import Asked, PlayedServer, Reply
from graders.probes.stream import Streamed, streamed


class Chunked(Streamed):
    """An answer that came in pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = [*pieces, b""]
        self.head, self.did = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", "curl"

    def read(self, size: int = 0) -> bytes:
        return self.pieces.pop(0)


def test_chunks_are_joined_wherever_they_were_cut() -> None:
    assert rest(Chunked(b"3\r\nab", b"c\r\n1;x=y\r\nd\r", b"\n0\r\n\r\n")) == b"abcd"


@pytest.mark.parametrize("pieces", [(b"3\r\nabc\r\n",), (b"",), (b"x\r\n",)])
def test_a_body_without_an_end_fails(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(Failure, match="comes to its end"):
        rest(Chunked(*pieces))


def test_a_plain_body_is_taken_as_it_is() -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(200, b'a,"b,""c"""\r\n', "text/csv")

    server = PlayedServer(answer)
    with streamed(server.url, "/", {}) as got:
        assert lines(rest(got)) == [["a", 'b,"c"']]
    server.close()
