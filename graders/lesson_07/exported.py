"""An export on its way: its lines, without what HTTP puts between them."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager

from graders.check import Failure
from graders.probes.stream import Streamed, streamed

PATH = "/v1/exports/invoices.csv"
WINDOW = 32_768
SECONDS = 60.0
# The tenant with more invoices than anybody wants in memory at once, and how many (dataset.sql).
BIG, MANY = 2, 200_000


@contextmanager
def export(base_url: str, tenant: int, window: int = WINDOW) -> Iterator[Streamed]:
    """The export under way, its head read and right. A small window holds a fast sender back."""
    with streamed(base_url, PATH, {"X-Tenant-ID": str(tenant)}, SECONDS, window) as answer:
        if answer.status != 200 or b"text/csv" not in answer.head.lower():
            raise Failure(
                expected="GET /v1/exports/invoices.csv is 200 and text/csv.",
                got=f"GET {PATH}: {answer.head[:300].decode('latin-1')}",
                because="Without it there is no export.",
                did=answer.did,
            )
        yield answer


def rest(answer: Streamed, begun: bytes = b"") -> bytes:
    """The whole body, `begun` included, once it has come to its end. Raises Failure where it breaks off."""
    pieces = [begun]
    while piece := answer.read():
        pieces.append(piece)
    body = b"".join(pieces)
    return _dechunked(body, answer.did) if b"chunked" in answer.head.lower() else body


def _dechunked(body: bytes, did: str) -> bytes:
    """RFC 9112, section 7.1."""
    pieces: list[bytes] = []
    at = 0
    while True:
        end = body.find(b"\r\n", at)
        digits = body[at:end].split(b";")[0].strip() if end >= 0 else b""
        try:
            size = int(digits, 16)
        except ValueError:
            raise Failure(
                expected="The export comes to its end.",
                got=f"the export broke off after {len(body)} bytes",
                because="A caller that gets half a file may take it for a whole one.",
                did=did,
            ) from None
        if size == 0:
            return b"".join(pieces)
        pieces.append(body[end + 2 : end + 2 + size])
        at = end + 2 + size + 2


def lines(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode("utf-8", "replace"), newline="")))
