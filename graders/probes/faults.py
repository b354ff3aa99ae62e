"""A gate of the grader's in front of a store or an upstream: it can be made slow, silent or shut while a check runs.

A fault says what it met: a check that provoked nothing has proved nothing, and must not pass.
"""

import asyncio
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeVar

from compose.ports import HOST

Kind = Literal["delay", "cut", "refuse", "hold", "half-open"]
Result = TypeVar("Result")
CHUNK = 65_536
WITHIN = 30.0


@dataclass
class Landed:
    """What one fault met: `live` connections when it began, and all `connections` that felt it.

    A connection felt it when it was cut, when it came in vain, or when bytes of its were delayed, held or lost. Who is
    refused never reaches us and is not counted.
    """

    kind: Kind
    live: int
    seconds: float = 0.0
    felt: set[int] = field(default_factory=set)
    changed: threading.Condition = field(default_factory=threading.Condition, repr=False)

    @property
    def connections(self) -> int:
        with self.changed:
            return len(self.felt)

    def feel(self, connection: int) -> None:
        with self.changed:
            self.felt.add(connection)
            self.changed.notify_all()

    def await_felt(self, connections: int = 1, seconds: float = WITHIN) -> bool:
        """Whether so many connections have felt it within `seconds`."""
        with self.changed:
            return self.changed.wait_for(lambda: len(self.felt) >= connections, seconds)

    def proof(self) -> str:
        """One line for a failure's text."""
        return f"{self.kind}: {self.live} connections were up, {self.connections} felt it"


class Gate:
    """Listens on a loopback port of its own and carries each connection to `target`. Use it as a context manager.

    One fault at a time, each a context manager that heals in the end: `with gate.hold() as landed: ...`.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.connections = 0  # ever
        self._fault: Landed | None = None
        self._healed = asyncio.Event()
        self._live: dict[int, tuple[StreamWriter, StreamWriter | None]] = {}
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name=f"gate to {target}")

    def __enter__(self) -> "Gate":
        self._thread.start()
        self._do(self._open())
        return self

    def __exit__(self, *exception: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def live(self) -> int:
        """How many connections are up now."""
        return len(self._live)

    def delay(self, seconds: float) -> AbstractContextManager[Landed]:
        """Every piece of data, in both directions, arrives that much later."""
        return self._faulty("delay", seconds)

    def cut(self) -> AbstractContextManager[Landed]:
        """Connections are reset; new ones are accepted and reset at once."""
        return self._faulty("cut")

    def refuse(self) -> AbstractContextManager[Landed]:
        """Connections are reset, and nobody listens any more."""
        return self._faulty("refuse")

    def hold(self) -> AbstractContextManager[Landed]:
        """Connections stay up, and nothing comes through; healed, what was held goes on its way."""
        return self._faulty("hold")

    def half_open(self) -> AbstractContextManager[Landed]:
        """What is asked arrives, what is answered is lost; healed, the connections that lost something are reset."""
        return self._faulty("half-open")

    @contextmanager
    def _faulty(self, kind: Kind, seconds: float = 0.0) -> Iterator[Landed]:
        landed = Landed(kind, 0, seconds)
        self._do(self._begin(landed))
        try:
            yield landed
        finally:
            self._do(self._heal(landed))

    # --- on the gate's own thread ----------------------------------------------------------------------

    def _do(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WITHIN)

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._carry, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _shut(self) -> None:
        if self._server:
            self._server.close()
            self._server = None

    async def _close(self) -> None:
        await self._shut()
        self._reset(set(self._live))
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _begin(self, fault: Landed) -> None:
        fault.live = len(self._live)
        self._healed.clear()
        self._fault = fault
        if fault.kind in ("cut", "refuse"):
            for number in self._live:
                fault.feel(number)
            self._reset(set(self._live))
        if fault.kind == "refuse":
            await self._shut()

    async def _heal(self, fault: Landed) -> None:
        self._fault = None
        self._healed.set()
        if fault.kind == "half-open":
            self._reset(fault.felt & set(self._live))
        if fault.kind == "refuse":
            await self._open()

    def _reset(self, numbers: set[int]) -> None:
        for number in numbers:
            for writer in self._live.pop(number):
                if writer:
                    writer.transport.abort()

    async def _carry(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        if self._fault and self._fault.kind == "cut":
            self._fault.feel(number)
            writer.transport.abort()
            return
        self._live[number] = (writer, None)
        try:
            await self._silence(number)
            there, back = await asyncio.open_connection(HOST, self.target)
            if number not in self._live:
                back.transport.abort()
                return
            self._live[number] = (writer, back)
            await asyncio.gather(
                self._pump(number, reader, back, answers=False),
                self._pump(number, there, writer, answers=True),
            )
        except OSError:
            writer.transport.abort()
        finally:
            for each in self._live.pop(number, (writer, None)):
                if each:
                    each.close()

    async def _pump(self, number: int, reader: StreamReader, writer: StreamWriter, *, answers: bool) -> None:
        try:
            while data := await reader.read(CHUNK):
                if await self._through(number, answers):
                    writer.write(data)
                    await writer.drain()
            await self._silence(number)
            if writer.can_write_eof():
                writer.write_eof()
        except (
            OSError
        ):  # reset, as by a process that was killed: the other side must hear of it, or holds its locks
            await self._silence(number)
            writer.transport.abort()

    async def _through(self, number: int, answers: bool) -> bool:
        """Whether what came on this connection may go on, once the present fault lets it."""
        await self._silence(number)
        fault = self._fault
        if fault and fault.kind == "delay":
            fault.feel(number)
            await asyncio.sleep(fault.seconds)
        if fault and fault.kind == "half-open" and answers:
            fault.feel(number)
            return False
        return True

    async def _silence(self, number: int) -> None:
        while self._fault and self._fault.kind == "hold":
            self._fault.feel(number)
            await self._healed.wait()


@dataclass(frozen=True)
class Gates:
    """One in front of each store and upstream of a service that does jobs."""

    NAMES: ClassVar = ("postgres", "cache", "queue", "mail", "payments")

    postgres: Gate
    cache: Gate
    queue: Gate
    mail: Gate
    payments: Gate

    def all(self) -> tuple[Gate, ...]:
        """In the order of NAMES."""
        return (self.postgres, self.cache, self.queue, self.mail, self.payments)
