"""Leaves no process behind: adopts orphans where the system can, and ends whole families."""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterable

import psutil

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """On Linux: descendants whose parent dies become ours, so that a daemon cannot slip away (prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_group(pid: int, sig: signal.Signals = signal.SIGKILL) -> None:
    """Signal the process group that `pid` leads; one that is gone is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, sig)


def end_descendants(spare: Iterable[int] = ()) -> None:
    """SIGKILL everything below this process and wait until it is gone; repeated, since a family may still grow."""
    spared = set(spare)
    for _ in range(20):
        family = [p for p in _descendants() if p.pid not in spared]
        if not family:
            return
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(family, timeout=0.5)


def _descendants() -> list[psutil.Process]:
    found = psutil.Process().children(recursive=True)
    return [p for p in found if _alive(p)]


def _alive(process: psutil.Process) -> bool:
    try:
        if process.status() != psutil.STATUS_ZOMBIE:
            return True
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process.pid, os.WNOHANG)
    except psutil.Error:
        pass
    return False
