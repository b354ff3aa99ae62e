"""Ends a submission that uses more than its share of what the kernel does not bound for us: memory, the stores' disk."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from compose.processes import SERVERS
from graders.engine import memory
from graders.engine.lifeline import end_group
from graders.engine.limits import LIMITS, MIB
from graders.engine.processes import Log, Running

EVERY = 0.25
STORES_EVERY, DISK_EVERY = 2, 8  # looks


@contextmanager
def watching(running: Sequence[Running], stores: Path, quarters: Path | None, log: Log) -> Iterator[None]:
    """Look at what `running`, a list that grows, uses while the body runs; end all of it when it is too much.

    stores: the folder of the servers' data. quarters: the bounded folder, where there is one.
    """
    over = threading.Event()
    looks: tuple[tuple[int, Callable[[], str]], ...] = (
        (1, lambda: _too_much_memory(running)),
        (1, lambda: _too_many_processes(running)),
        (1, lambda: _too_many_files(running)),
        (STORES_EVERY, _too_much_in_stores),
        (DISK_EVERY, lambda: _too_much_data(stores)),
    )

    def watch() -> None:
        look = 0
        last = False
        while not last:
            last = over.wait(EVERY)
            look += 1
            sum(_each(running, memory.be_taken_first))
            for every, too_much in looks:
                if look % every == 0 and (what := too_much()):
                    log.refuse(what)
                    for each in running:
                        end_group(each.popen.pid)
            if quarters and (what := _full(quarters)):
                log.refuse(what)

    thread = threading.Thread(target=watch, daemon=True, name="warden")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _too_much_memory(running: Sequence[Running]) -> str:
    if memory.taken(_processes(running)) <= LIMITS.memory:
        return ""
    return f"It used more than {LIMITS.memory // MIB} MiB of memory and was stopped."


def _too_much_in_stores() -> str:
    """What the servers hold for it: a session may set work_mem as it likes."""
    below = psutil.Process().children(recursive=True)
    if memory.taken(process for process in below if _is_server(process)) <= LIMITS.stores_memory:
        return ""
    return f"Its stores hold more than {LIMITS.stores_memory // MIB} MiB of memory for it; it was stopped."


def _is_server(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.name() in SERVERS
    return False


def _too_many_files(running: Sequence[Running]) -> str:
    """Every socket may hold a fifth of a megabyte that the kernel counts to nobody."""
    if sum(_each(running, memory.open_files)) <= 2 * LIMITS.open_files:
        return ""
    return f"It had more than {2 * LIMITS.open_files} files and sockets open and was stopped."


def _too_many_processes(running: Sequence[Running]) -> str:
    """The kernel counts for each process type; this counts all, and where the kernel cannot."""
    if sum(_each(running, memory.threads)) <= 2 * LIMITS.processes:
        return ""
    return f"It had more than {2 * LIMITS.processes} processes and threads and was stopped."


def _too_much_data(stores: Path) -> str:
    size = 0
    for folder, _, files in os.walk(stores):  # not rglob, which fails when a folder goes while it looks
        for name in files:
            with suppress(OSError):
                size += Path(folder, name).lstat().st_blocks * 512
    if size <= LIMITS.stores:
        return ""
    return f"It made its stores larger than {LIMITS.stores // MIB} MiB and was stopped."


def _full(quarters: Path) -> str:
    found = os.statvfs(quarters)
    if found.f_bavail and found.f_favail:
        return ""
    return f"It filled its {LIMITS.quarters // MIB} MiB, or {LIMITS.quarters_files} files, of scratch space."


def _each(running: Sequence[Running], look: Callable[[psutil.Process], int]) -> Iterator[int]:
    for process in _processes(running):
        with suppress(psutil.Error, OSError):
            yield look(process)


def _processes(running: Sequence[Running]) -> Iterator[psutil.Process]:
    for each in list(running):
        with suppress(psutil.Error):
            head = psutil.Process(each.popen.pid)
            yield from (head, *head.children(recursive=True))
