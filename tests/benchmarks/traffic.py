"""The requests of one grade, written down by `recorded_web` and sent again over kept-alive connections."""

import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

# Those who start the service ask for readiness as often as they need.
READINESS = "/readyz"

QUICK_ACK = getattr(socket, "TCP_QUICKACK", None)


@dataclass(frozen=True)
class Exchange:
    """One request as the service of the database `database` saw it, and the status that it answered."""

    database: str
    method: str
    target: str
    headers: dict[str, str]
    body: str
    status: int


def load(path: Path) -> list[Exchange]:
    """The exchanges in the order in which they ended, without those about readiness."""
    exchanges = [Exchange(**json.loads(line)) for line in path.read_text().splitlines()]
    return [exchange for exchange in exchanges if exchange.target != READINESS]


def databases(exchanges: Sequence[Exchange]) -> list[str]:
    """The databases whose services were asked, in order of the first request."""
    return list(dict.fromkeys(exchange.database for exchange in exchanges))


def replay(exchanges: Sequence[Exchange], ports: Mapping[str, int]) -> int:
    """Send everything in the recorded order and read every answer. How many statuses differ from the recording."""
    lines = {name: HTTPConnection("127.0.0.1", port, timeout=60) for name, port in ports.items()}
    different = 0
    for exchange in exchanges:
        different += _send(lines[exchange.database], exchange) != exchange.status
    for line in lines.values():
        line.close()
    return different


def _send(line: HTTPConnection, exchange: Exchange) -> int:
    line.request(exchange.method, exchange.target, exchange.body.encode() or None, exchange.headers)
    if QUICK_ACK is not None:  # as the kit's client does: an answer in two parts must not cost 40 ms
        line.sock.setsockopt(socket.IPPROTO_TCP, QUICK_ACK, 1)
    answer = line.getresponse()
    answer.read()
    return answer.status
