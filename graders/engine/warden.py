"""Ends a submission that uses more than its share of what the kernel does not bound for us: memory, the stores' disk."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from graders.engine.limits import LIMITS, MIB
from graders.engine.processes import Log, Running

EVERY = 0.25
DISK_EVERY = 8  # looks


@contextmanager
def watching(running: Sequence[Running], stores: Path, quarters: Path | None, log: Log) -> Iterator[None]:
    """Look at what `running`, a list that grows, uses while the body runs; end all of it when it is too much.

    stores: the folder of the servers' data. quarters: the bounded folder, where there is one.
    """
    over = threading.Event()
    looks: tuple[tuple[int, Callable[[], str]], ...] = (
        (1, lambda: _too_much_memory(running)),
        (1, lambda: _too_many_processes(running)),
        (DISK_EVERY, lambda: _too_much_data(stores)),
    )

    def watch() -> None:
        look = 0
        last = False
        while not last:
            last = over.wait(EVERY)
            look += 1
            for every, too_much in looks:
                if look % every == 0 and (what := too_much()):
                    log.refuse(what)
                    for each in running:
                        each.kill()
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
    """Memory that is the processes' own; what they share is counted once for each. Files in memory are bounded."""
    used = sum(_each(running, _own_memory))
    if used <= LIMITS.memory:
        return ""
    return f"It used more than {LIMITS.memory // MIB} MiB of memory and was stopped."


def _own_memory(process: psutil.Process) -> int:
    info = process.memory_info()
    return int(info.rss - getattr(info, "shared", 0))


def _too_many_processes(running: Sequence[Running]) -> str:
    """The kernel counts for each process type; this counts all, and where the kernel cannot."""
    if sum(_each(running, lambda process: process.num_threads())) <= 2 * LIMITS.processes:
        return ""
    return f"It had more than {2 * LIMITS.processes} processes and threads and was stopped."


def _too_much_data(stores: Path) -> str:
    size = 0
    for path in stores.rglob("*"):
        with suppress(OSError):
            size += path.lstat().st_blocks * 512
    if size <= LIMITS.stores:
        return ""
    return f"It made its stores larger than {LIMITS.stores // MIB} MiB and was stopped."


def _full(quarters: Path) -> str:
    found = os.statvfs(quarters)
    if found.f_bavail and found.f_favail:
        return ""
    return f"It filled its {LIMITS.quarters // MIB} MiB, or {LIMITS.quarters_files} files, of scratch space."


def _each(running: Sequence[Running], look: Callable[[psutil.Process], int]) -> Iterator[int]:
    for each in list(running):
        with suppress(psutil.Error):
            head = psutil.Process(each.popen.pid)
            for process in (head, *head.children(recursive=True)):
                with suppress(psutil.Error):
                    yield look(process)
