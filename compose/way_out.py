"""The grader's end of the ways out of an enclosure: what the submission calls on its loopback reaches a server of ours.

Nothing in a container can reach a server that listens on this machine's loopback alone, and none should. So we call: idle
connections wait at the gate, and each caller inside is given one.
"""

import asyncio
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress

from compose.ports import HOST
from compose.relay import both_ways

IDLE = 16
AGAIN = 0.2


@contextmanager
def led_out(port: int, password: str, target: int) -> Iterator[None]:
    """While the body runs, connections to `port` inside the enclosure arrive at `target` on this machine's loopback."""
    begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def wait() -> None:
        over = asyncio.Event()
        begun.set_result((asyncio.get_running_loop(), over))
        tasks = [asyncio.create_task(_idle(port, password.encode(), target)) for _ in range(IDLE)]
        await over.wait()  # the loop's end cancels the tasks
        del tasks

    thread = threading.Thread(target=lambda: asyncio.run(wait()), daemon=True, name=f"way out {port}")
    thread.start()
    loop, over = begun.result()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()


async def _idle(port: int, password: bytes, target: int) -> None:
    """One connection after another: each waits until somebody inside calls, and is then carried on."""
    carried: set[asyncio.Task[None]] = set()
    while True:
        with suppress(OSError, EOFError):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                writer.write(password)
                await reader.readexactly(1)
            except BaseException:
                writer.transport.abort()
                raise
            task = asyncio.create_task(_carry(reader, writer, target))
            carried.add(task)
            task.add_done_callback(carried.discard)
            continue
        await asyncio.sleep(AGAIN)


async def _carry(reader: StreamReader, writer: StreamWriter, target: int) -> None:
    try:
        there, back = await asyncio.open_connection(HOST, target)
    except OSError:
        writer.transport.abort()
        return
    await both_ways(reader, writer, there, back)
