"""A process that is asked to stop takes no new work, ends what it has begun, and leaves within its grace."""

import logging
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

log = logging.getLogger(__name__)


class DrainingServer(uvicorn.Server):
    """uvicorn, which drains by itself on SIGTERM and SIGINT; here it says what it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        log.info("listening", extra={"fields": {"addresses": [s.getsockname()[:2] for s in sockets or []]}})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        log.info("draining", extra={"fields": {"requests": len(self.server_state.tasks)}})
        await super().shutdown(sockets)


class ServerBeside(uvicorn.Server):
    """One that serves beside something else, which says when it ends: signals are not its business."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server_for(app: ASGIApp, grace_seconds: int, *, beside: bool = False) -> uvicorn.Server:
    """A server of one process. Logging is already set up, and the start is ours: no lifespan events."""
    return (ServerBeside if beside else DrainingServer)(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=grace_seconds,
        )
    )


def bind(host: str, port: int) -> socket.socket:
    """The socket to serve on. It does not listen yet: callers are refused until the service is ready."""
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    # The protocol is named, since asyncio sets TCP_NODELAY only on a socket that says TCP.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(address)
    return bound


def exit_zero_on_stop_signals() -> None:
    """Being stopped is no error. uvicorn raises the signal again once it has drained; then this answers."""

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
