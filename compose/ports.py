"""Free ports on loopback, outside the range that the kernel gives to outgoing connections."""

import random
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

HOST = "127.0.0.1"

LOWEST, HIGHEST = 15000, 65000

# Ports are not part of what `--seed` replays: they must differ between grades that run at once.
chance = random.SystemRandom()


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def promised(port: int, say: Callable[[str], None]) -> Iterator[int]:
    """Ports to try, without end: `port` first, if it is free, then others, which `say` is told."""
    if is_free(port):
        yield port
    say(f"Port {port} is busy; another one is used.")
    yield from candidates()


def candidates() -> Iterator[int]:
    """Free ports at random, without end."""
    low, high = _outgoing()
    while True:
        port = chance.randrange(LOWEST, HIGHEST)
        if not low <= port <= high and is_free(port):
            yield port


def _outgoing() -> tuple[int, int]:
    """The range of outgoing connections (ip(7), ip_local_port_range); ignored if it leaves us little room."""
    low, high = 49152, 65535
    if sys.platform == "linux":
        low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    return (low, high) if low - LOWEST > 1000 or HIGHEST - high > 1000 else (0, 0)
