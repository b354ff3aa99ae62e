"""Carries bytes between TCP ports and socket files. It runs inside containers and knows the standard library alone.

A grade's containers share a network that leads nowhere. One relay in it (`inside`) listens on socket files in a volume;
another outside (`outside`) shares that volume and listens on the ports that the engine publishes on loopback.

A port with a `-` before it is a way out: who calls it inside gets a connection that the grader made before, and that was
opened with the password in WAY_OUT. `way_out` is the grader's end.
"""

import asyncio
import os
import sys
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

CHUNK = 65_536
PATIENCE = 10.0

Reach = Callable[[], Awaitable[tuple[Reader, Writer]]]


async def pump(reader: Reader, writer: Writer) -> None:
    """Copy until the end, and pass the end on. An end by force is passed on by force."""
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()


async def carry(reach: Reach, reader: Reader, writer: Writer) -> None:
    """One connection: reach the other side, and copy both ways."""
    try:
        there, back = await reach()
    except OSError:
        writer.transport.abort()
        return
    await both_ways(reader, writer, there, back)


async def both_ways(reader: Reader, writer: Writer, there: Reader, back: Writer) -> None:
    """Copy until both ends are done."""
    try:
        await asyncio.gather(pump(reader, back), pump(there, writer))
    finally:
        back.close()
        writer.close()


class WayOut:
    """The gate's half of a way out: connections of the grader that wait for a caller."""

    def __init__(self, password: bytes) -> None:
        self.password = password
        self.idle: asyncio.Queue[tuple[Reader, Writer]] = asyncio.Queue(64)

    async def keep(self, reader: Reader, writer: Writer) -> None:
        """One of the grader's, once it has said the password."""
        try:
            said = await asyncio.wait_for(reader.readexactly(len(self.password)), PATIENCE)
            if said == self.password:
                self.idle.put_nowait((reader, writer))
                return
        except (TimeoutError, OSError, EOFError, asyncio.QueueFull):
            pass
        writer.transport.abort()

    async def reach(self) -> tuple[Reader, Writer]:
        """One that waited, told that it is needed now. Raises TimeoutError."""
        while True:
            try:
                reader, writer = await asyncio.wait_for(self.idle.get(), PATIENCE)
            except TimeoutError:
                raise OSError("nobody waits") from None
            if not reader.at_eof():
                writer.write(b"\1")
                return reader, writer


async def relay(side: str, folder: Path, ports: list[str]) -> None:
    """Serve all ports, for ever. A port's socket file bears its number."""
    password = os.environ.get("WAY_OUT", "").encode()
    for port in ports:
        number, file = abs(int(port)), folder / str(abs(int(port)))
        if port.startswith("-") and side == "inside":
            reach: Reach = partial(asyncio.open_unix_connection, file)
            await asyncio.start_server(partial(carry, reach), "127.0.0.1", number)
        elif port.startswith("-"):
            way = WayOut(password)
            await asyncio.start_unix_server(partial(carry, way.reach), file)
            await asyncio.start_server(way.keep, "0.0.0.0", number)  # noqa: S104 - of its container
        elif side == "inside":
            reach = partial(asyncio.open_connection, "127.0.0.1", number)
            await asyncio.start_unix_server(partial(carry, reach), file)
        else:
            reach = partial(asyncio.open_unix_connection, file)
            await asyncio.start_server(partial(carry, reach), "0.0.0.0", number)  # noqa: S104 - of its container
    (folder / f"{side}.ready").touch()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(relay(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
