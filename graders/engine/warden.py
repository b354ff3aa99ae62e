"""Ends a submission that uses more than its share of what the kernel does not bound for us: memory, the stores' disk."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from compose.postgres import APP, OWNER
from compose.processes import SERVERS
from graders.engine import memory
from graders.engine.cgroup import Cgroup
from graders.engine.family import below, everyone
from graders.engine.limits import LIMITS, MIB
from graders.engine.processes import Log, Running

EVERY = 0.25
STORES_EVERY, DISK_EVERY = 2, 8  # looks
SESSIONS = (f"postgres: {OWNER} ", f"postgres: {APP} ")
FULL = f"It filled its {LIMITS.quarters // MIB} MiB, or {LIMITS.quarters_files} files, of scratch space."
CROWD = 64  # processes: so many that nobody else would get a processor, we who look at them least
MOST = LIMITS.processes // 2  # processes, their threads apart: more of them only a fork bomb has

Processes = Sequence[psutil.Process]


@contextmanager
def watching(
    running: Sequence[Running], stores: Path, quarters: Path | None, log: Log, cgroup: Cgroup | None = None
) -> Iterator[None]:
    """Look at what `running`, a list that grows, uses while the body runs; end all of it when it is too much.

    stores: the folder of the servers' data. quarters: the bounded folder, cgroup: the kernel's count, where there is one.
    """

    def look(number: int, _last: bool) -> None:
        found, servers = _found({each.popen.pid for each in list(running)})
        if len(found) > CROWD:
            memory.step_back(found)
        if len(found) > MOST:
            log.refuse(f"It had {len(found)} processes and was stopped.")
            _end(running)
            return
        _keep_in_place(found)
        looks: tuple[tuple[int, Callable[[], str]], ...] = (
            (1, lambda: _too_much_memory(found, cgroup)),
            (1, lambda: _too_many_processes(found)),
            (1, lambda: _too_many_files(found)),
            (STORES_EVERY, lambda: _too_much_in_stores(servers)),
            (DISK_EVERY, lambda: _too_much_data(stores)),
        )
        for every, too_much in looks:
            if number % every == 0 and (what := too_much()):
                log.refuse(what)
                _end(running)
        if quarters and _full(quarters):
            log.refuse(FULL)

    with looking(EVERY, look):
        yield


@contextmanager
def looking(every: float, look: Callable[[int, bool], None]) -> Iterator[None]:
    """Call `look` each `every` seconds while the body runs, and a last time after it, from a thread of its own.

    It is told its number, from 1, and whether it is the last.
    """
    over = threading.Event()

    def watch() -> None:
        number, last = 0, False
        while not last:
            last = over.wait(every)
            number += 1
            look(number, last)

    thread = threading.Thread(target=watch, daemon=True, name="warden")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _keep_in_place(found: Processes) -> None:
    """First to go when memory is short."""
    for process in found:
        with suppress(psutil.Error, OSError):
            memory.be_taken_first(process)


def _end(running: Sequence[Running]) -> None:
    """End the submission, and what its sessions still do in Postgres, which would go on without it."""
    for each in running:
        each.kill()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error, IndexError):
            if process.name() == "postgres" and process.cmdline()[0].startswith(SESSIONS):
                process.terminate()


def _too_much_memory(found: Processes, cgroup: Cgroup | None) -> str:
    if memory.taken(found) <= LIMITS.memory and not (cgroup and cgroup.exceeded()):
        return ""
    return f"It used more than {LIMITS.memory // MIB} MiB of memory and was stopped."


def _too_much_in_stores(servers: Processes) -> str:
    """What the servers hold for it: a session may set work_mem as it likes."""
    if memory.taken(servers) <= LIMITS.stores_memory:
        return ""
    return f"Its stores hold more than {LIMITS.stores_memory // MIB} MiB of memory for it; it was stopped."


def _too_many_files(found: Processes) -> str:
    """Every socket may hold a fifth of a megabyte that the kernel counts to nobody."""
    if sum(_each(found, memory.open_files)) <= 2 * LIMITS.open_files:
        return ""
    return f"It had more than {2 * LIMITS.open_files} files and sockets open and was stopped."


def _too_many_processes(found: Processes) -> str:
    """The kernel counts for each process type; this counts all, and where the kernel cannot."""
    if sum(_each(found, memory.threads)) <= 2 * LIMITS.processes:
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


def _full(quarters: Path) -> bool:
    found = os.statvfs(quarters)
    return not (found.f_bavail and found.f_favail)


def _each(found: Processes, look: Callable[[psutil.Process], int]) -> Iterator[int]:
    for process in found:
        with suppress(psutil.Error, OSError):
            yield look(process)


def _found(heads: set[int]) -> tuple[Processes, Processes]:
    """The submission's processes, which are `heads` and all that these started; and those of our stores."""
    kin = everyone()
    processes = {process.pid: process for process in psutil.process_iter()}
    ours = below([os.getpid()], kin) & processes.keys()
    theirs = (heads | below(heads, kin)) & ours
    return [processes[pid] for pid in theirs], [processes[pid] for pid in ours if kin[pid].name in SERVERS]
