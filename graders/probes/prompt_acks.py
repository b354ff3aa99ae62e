"""Connections whose acknowledgements don't wait, so that an answer sent in two parts costs no 40 ms a request.

They tell of the socket they open, so that somebody else can end what they are held up by.
"""

import socket
from collections.abc import Callable
from typing import Any

from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

QUICK_ACK = getattr(socket, "TCP_QUICKACK", None)


class PromptConnection(HTTPConnection):
    """Linux falls back to delayed acknowledgements, so each request asks again. Elsewhere there is no such switch."""

    def __init__(self, *args: Any, opened: Callable[[socket.socket], None], **options: Any) -> None:
        super().__init__(*args, **options)
        self._opened = opened

    def connect(self) -> None:
        super().connect()
        if self.sock is not None:
            self._opened(self.sock)

    def request(self, *args: Any, **options: Any) -> None:
        super().request(*args, **options)
        if QUICK_ACK is not None and self.sock is not None:
            self.sock.setsockopt(socket.IPPROTO_TCP, QUICK_ACK, 1)


class PromptPool(HTTPConnectionPool):
    ConnectionCls = PromptConnection

    def __init__(self, host: str, port: int | None, opened: Callable[[socket.socket], None]) -> None:
        """One connection at a time; `opened` is told of its socket."""
        super().__init__(host, port, maxsize=1, retries=False, opened=opened)
