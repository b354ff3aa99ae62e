"""Connections whose acknowledgements don't wait: a server that sends an answer in two parts may not cost 40 ms a request."""

import socket
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

QUICK_ACK = getattr(socket, "TCP_QUICKACK", None)


class PromptConnection(HTTPConnection):
    """Linux goes back to delayed acknowledgements by itself, so each request asks again. Elsewhere there is no such switch."""

    def request(self, *args: Any, **options: Any) -> None:
        super().request(*args, **options)
        if QUICK_ACK is not None and self.sock is not None:
            self.sock.setsockopt(socket.IPPROTO_TCP, QUICK_ACK, 1)


class PromptPool(HTTPConnectionPool):
    ConnectionCls = PromptConnection


class PromptAdapter(HTTPAdapter):
    """What a session mounts for http:// to connect this way."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": PromptPool}
