"""How much memory processes have taken, each byte counted once, also where it is in no process's own books.

Resident private pages are not all: a map that is shared can outlive whoever filled it, tables of pages are the kernel's,
and so is what waits in a socket, which the number of open files bounds (proc_pid_status(5), proc_pid_maps(5)).
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

LAST = 19
PRIVATE = re.compile(rb"^(?:RssAnon|VmPTE):\s+(\d+) kB", re.MULTILINE)
THREADS = re.compile(rb"^Threads:\s+(\d+)", re.MULTILINE)
# start-end rw-s offset device inode /dev/zero (deleted): a map that only its processes know.
FILES = (b"/dev/zero", b"/memfd", b"/SYSV")
SHARED = re.compile(
    rb"^([0-9a-f]+)-([0-9a-f]+) \S\S\Ss \S+ (\S+ \d+)\s+(?:%s)" % b"|".join(FILES), re.MULTILINE
)


def taken(processes: Iterable[psutil.Process]) -> int:
    """Bytes. A shared map counts once and whole: how much of it is filled, only those know who filled it."""
    private = 0
    shared: dict[bytes, int] = {}
    for process in processes:
        private += _private(process)
        for map, size in _shared(process):
            shared[map] = max(size, shared.get(map, 0))
    return private + sum(shared.values())


def open_files(process: psutil.Process) -> int:
    """Files, pipes and sockets that the process has open."""
    return process.num_fds()


def threads(process: psutil.Process) -> int:
    """Its threads. Not psutil's number, which a process named `Threads:<tab>0` writes itself."""
    if sys.platform != "linux":
        return int(process.num_threads())
    return sum(map(int, THREADS.findall(_read(process, "status"))))


def be_taken_first(process: psutil.Process) -> None:
    """Tell the out-of-memory killer again: a process may take back what it said of itself (proc(5))."""
    if sys.platform == "linux":
        Path(f"/proc/{process.pid}/oom_score_adj").write_text("1000")


def step_back(found: Iterable[psutil.Process]) -> None:
    """Let others run first. By groups, since so many come while one looks at each (setpriority(2))."""
    groups: set[int] = set()
    for process in found:
        with suppress(OSError):
            groups.add(os.getpgid(process.pid))
    for group in groups:
        with suppress(OSError):
            os.setpriority(os.PRIO_PGRP, group, LAST)


def _private(process: psutil.Process) -> int:
    if sys.platform != "linux":
        return int(process.memory_info().rss)
    return sum(1024 * int(kilobytes) for kilobytes in PRIVATE.findall(_read(process, "status")))


def _shared(process: psutil.Process) -> Iterator[tuple[bytes, int]]:
    maps = _read(process, "maps")
    # Most have none; to find that out line by line takes ten times as long.
    if not any(file in maps for file in FILES):
        return
    sizes: dict[bytes, int] = {}
    for start, end, file in SHARED.findall(maps):
        sizes[file] = sizes.get(file, 0) + int(end, 16) - int(start, 16)
    yield from sizes.items()


def _read(process: psutil.Process, name: str) -> bytes:
    """Nothing of a process that has ended, or that we may not look into."""
    with suppress(OSError):
        return Path(f"/proc/{process.pid}/{name}").read_bytes()
    return b""
