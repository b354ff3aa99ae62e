"""Who descends from whom, of all processes that this one sees, at one look."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

# pid (name) state parent ...: a name may hold anything, also what looks like the end of it (proc_pid_stat(5)).
STAT = re.compile(rb"\((.*)\) \S (\d+) ", re.DOTALL)


class Kin(NamedTuple):
    parent: int
    name: str


def everyone() -> Mapping[int, Kin]:
    """By pid. Whoever looks four times a second can't wait for psutil, which reads each process thrice for it."""
    if sys.platform == "linux":
        return dict(_everyone_on_linux())
    kin = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            kin[process.pid] = Kin(process.ppid(), process.name())
    return kin


def below(heads: Iterable[int], kin: Mapping[int, Kin]) -> set[int]:
    """The pids of all descendants of `heads`, these apart."""
    children: dict[int, list[int]] = {}
    for pid, (parent, _) in kin.items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    open_ = list(heads)
    while open_:
        new = [child for child in children.get(open_.pop(), ()) if child not in found]
        found.update(new)
        open_ += new
    return found


def _everyone_on_linux() -> Iterator[tuple[int, Kin]]:
    for pid in psutil.pids():
        with suppress(OSError):  # it has ended
            if found := STAT.search(Path(f"/proc/{pid}/stat").read_bytes()):
                yield pid, Kin(int(found[2]), found[1].decode(errors="replace"))
