"""A memory cgroup for one submission, where we may make one (cgroups(7)): it counts what hides from all other counts.

As root on most machines; not as an ordinary user, nor in most containers. There the warden's own count has to do.
"""

import hashlib
import re
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MOUNTS = Path("/proc/self/mounts")


@dataclass(frozen=True)
class Cgroup:
    """A cgroup that was made for a run. `events` is the file that counts what the kernel ended for its size."""

    folder: Path
    events: Path

    def entering(self, uid: int) -> list[str]:
        """Words that put a command into the cgroup, and then make it the user `uid`'s."""
        enter = f'echo $$ > {self.folder}/cgroup.procs && exec "$@"'
        user = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--"]
        return ["/bin/sh", "-c", enter, "sh", *user]

    def exceeded(self) -> bool:
        """Whether the kernel had to end something in it."""
        with suppress(OSError):
            return bool(re.search(r"^oom_kill [1-9]", self.events.read_text(), re.MULTILINE))
        return False

    def remove(self, patience: float = 2.0) -> None:
        """Remove it, once those that were killed in it are gone. Whom it outlives keeps it for the next run to remove."""
        deadline = time.monotonic() + patience
        while self.folder.exists():
            with suppress(OSError):
                self.folder.rmdir()
                return
            if time.monotonic() > deadline:
                return
            time.sleep(0.01)


def make(run_dir: Path, size: int) -> Cgroup | None:
    """A cgroup of at most `size` bytes for the run in `run_dir`; None where that can't be had."""
    if not shutil.which("setpriv"):
        return None
    for mount, kind, options in _mounts():
        if kind == "cgroup" and "memory" in options.split(","):
            limits = {"memory.limit_in_bytes": size, "memory.swappiness": 0}
            return _made(mount, run_dir, limits, "memory.oom_control")
        if kind == "cgroup2" and "memory" in _read(mount / "cgroup.subtree_control").split():
            limits = {"memory.max": size, "memory.oom.group": 1}
            return _made(mount, run_dir, limits, "memory.events")
    return None


def _made(mount: Path, run_dir: Path, limits: dict[str, int], events: str) -> Cgroup | None:
    family = f"octo_lab-{hashlib.sha256(bytes(run_dir.parent)).hexdigest()[:8]}-"
    folder = mount / f"{family}{run_dir.name}"
    try:
        for left in mount.glob(f"{family}*"):
            if not (run_dir.parent / left.name.removeprefix(family)).exists():
                Cgroup(left, left / events).remove(patience=0)
        folder.mkdir()
        for name, value in limits.items():
            (folder / name).write_text(str(value))
    except OSError:
        with suppress(OSError):
            folder.rmdir()
        return None
    return Cgroup(folder, folder / events)


def _mounts() -> list[tuple[Path, str, str]]:
    lines = (line.split() for line in _read(MOUNTS).splitlines())
    return [(Path(words[1]), words[2], words[3]) for words in lines]


def _read(path: Path) -> str:
    with suppress(OSError):
        return path.read_text()
    return ""
