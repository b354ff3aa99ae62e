"""Processes that outlived the one that started them: recognised for certain, and ended."""

import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil

PATIENCE = 2.0

SERVERS = ("postgres", "initdb", "valkey-server", "redis-server")


def born(pid: int) -> str:
    """When the process `pid` began, as a text that no later process of the same number shares.

    On Linux it counts in ticks since boot: a clock that jumps changes nothing. Raises psutil.NoSuchProcess.
    """
    if sys.platform != "linux":
        return repr(psutil.Process(pid).create_time())
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        raise psutil.NoSuchProcess(pid) from None
    return f"{_boot()}:{stat.rpartition(')')[2].split()[19]}"


@cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def the_same(pid: int, birth: str) -> bool:
    """Whether the process `pid` is still the one that began at `birth`."""
    try:
        return born(pid) == birth
    except psutil.NoSuchProcess:
        return False


def family(pid: int) -> list[psutil.Process]:
    """The process and its descendants, itself first. Postgres' children are not in its process group."""
    try:
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def servers_in(directory: Path) -> list[psutil.Process]:
    """Servers that work inside `directory`: orphans whose parent died before it could write them down."""
    found = []
    for process in psutil.process_iter(["name", "cwd"]):
        cwd = process.info["cwd"]
        if cwd and process.info["name"] in SERVERS and Path(cwd).is_relative_to(directory):
            found.append(process)
    return found


def end(left: Sequence[psutil.Process], gently: int | None = None) -> None:
    """End them all: by the signal `gently` first, if given, then by SIGKILL. Returns when all are gone."""
    if gently is not None:
        _send(left, gently)
        left = remaining(left, PATIENCE)
    else:
        left = remaining(left, 0.05)  # children that are on their way out
    _send(left, signal.SIGKILL)
    remaining(left, PATIENCE)


def _send(processes: Iterable[psutil.Process], number: int) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            process.send_signal(number)


def remaining(left: Sequence[psutil.Process], seconds: float) -> Sequence[psutil.Process]:
    """Wait until all are gone or the time is over; returns those that still run."""
    deadline = time.monotonic() + seconds
    while (left := [process for process in left if not _gone(process)]) and time.monotonic() < deadline:
        time.sleep(0.002)
    return left


def _gone(process: psutil.Process) -> bool:
    """Gone, or a zombie, whom only its parent can collect."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def append(record: Path, pid: int) -> None:
    """Write the process down in the file `record`, in one write, so that writers never mix. Gone: nothing."""
    try:
        line = f"{pid} {born(pid)}\n"
    except psutil.NoSuchProcess:
        return
    descriptor = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def recorded(record: Path) -> list[psutil.Process]:
    """The processes in the file `record` that still live, each with its descendants."""
    if not record.exists():
        return []
    lines = [line.partition(" ") for line in record.read_text().splitlines()]
    living = [int(pid) for pid, _, birth in lines if pid.isdigit() and the_same(int(pid), birth)]
    return [process for pid in living for process in family(pid)]
