"""Connections whose acknowledgements don't wait, so that an answer sent in two parts costs no 40 ms a request."""

import socket
from typing import Any

from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

QUICK_ACK = getattr(socket, "TCP_QUICKACK", None)


class PromptConnection(HTTPConnection):
    """Linux falls back to delayed acknowledgements, so each request asks again. Elsewhere there is no such switch."""

    def request(self, *args: Any, **options: Any) -> None:
        super().request(*args, **options)
        if QUICK_ACK is not None and self.sock is not None:
            self.sock.setsockopt(socket.IPPROTO_TCP, QUICK_ACK, 1)


class PromptPool(HTTPConnectionPool):
    ConnectionCls = PromptConnection
