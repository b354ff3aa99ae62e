"""The reference's `web` process, which also writes down each request: laid over the reference for one grade.

Runs in the service's environment as `python recorded_web.py FILE`, and knows nothing of the kit.
"""

import json
import os
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

OF_THE_CONNECTION = ("host", "connection", "content-length")


def recording(application: Application, path: str, database: str) -> Application:
    """The application, adding a line to the file for each request that it answers."""

    async def recorded(scope: Message, receive: Receive, send: Send) -> None:
        body = bytearray()
        status = 0

        async def listen() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        async def tell(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        await application(scope, listen, tell)
        if scope["type"] == "http":
            write(path, {"database": database, **request(scope), "body": body.decode(), "status": status})

    return recorded


def request(scope: Message) -> dict[str, Any]:
    """What of a request can be sent again."""
    query = scope["query_string"].decode()
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    return {
        "method": scope["method"],
        "target": scope["raw_path"].decode() + (f"?{query}" if query else ""),
        "headers": {name: value for name, value in headers.items() if name not in OF_THE_CONNECTION},
    }


def write(path: str, line: dict[str, Any]) -> None:
    """Append in one write: several processes share the file."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(descriptor, json.dumps(line).encode() + b"\n")
    finally:
        os.close(descriptor)


def main() -> int:
    app = import_module("billing.app")
    create = app.create_api
    database = urlsplit(os.environ["DATABASE_URL"]).path.removeprefix("/")
    # The module reads the name when it starts to serve, so that it gets ours.
    app.create_api = lambda pool: recording(create(pool), sys.argv[1], database)  # type: ignore[attr-defined]
    code: int = app.main()
    return code


if __name__ == "__main__":
    sys.exit(main())
