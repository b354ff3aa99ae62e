"""Carries bytes between TCP ports and socket files. It runs inside containers and knows the standard library alone.

A grade's containers share a network that leads nowhere. One relay in it (`inside`) listens on socket files in a volume;
another outside (`outside`) shares that volume and listens on the ports that the engine publishes on loopback.
"""

import asyncio
import sys
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

CHUNK = 65_536

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
    try:
        await asyncio.gather(pump(reader, back), pump(there, writer))
    finally:
        back.close()
        writer.close()


async def relay(side: str, folder: Path, ports: list[int]) -> None:
    """Serve all ports, for ever. A port's socket file bears its number."""
    for port in ports:
        file = folder / str(port)
        if side == "inside":
            reach: Reach = partial(asyncio.open_connection, "127.0.0.1", port)
            await asyncio.start_unix_server(partial(carry, reach), file)
        else:
            reach = partial(asyncio.open_unix_connection, file)
            await asyncio.start_server(partial(carry, reach), "0.0.0.0", port)  # noqa: S104 - of its container
    (folder / f"{side}.ready").touch()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(relay(sys.argv[1], Path(sys.argv[2]), [*map(int, sys.argv[3:])]))
