"""As whom a submission runs, and where it may write. Tried on this machine, never assumed, and told in the report."""

import contextlib
import os
import pwd
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# systemd's range for users that exist only while a service runs; no account of a person is in it.
DYNAMIC_UIDS = range(61_184, 65_520)


@dataclass(frozen=True)
class Isolation:
    """What keeps the submission apart. `popen` are the arguments of subprocess.Popen that bring it about."""

    text: str
    scratch: Path
    popen: Mapping[str, object] = field(default_factory=dict)


def isolate(tree: Path, scratch: Path, program: Path) -> Isolation:
    """The strongest separation that works here: another user when we are root, else the same user.

    `program` is run once with `tree` as its working directory, as the submission will be.
    """
    scratch.mkdir(exist_ok=True)
    if os.geteuid() != 0:
        return Isolation("none: runs as the same user as the grader", scratch)
    uid = _free_uid()
    popen: dict[str, object] = {"user": uid, "group": uid, "extra_groups": []}
    if not _works(program, tree, popen):
        return Isolation("none: runs as root, since other users cannot reach this Python", scratch)
    for path in (tree, scratch, *tree.rglob("*")):
        os.chown(path, uid, uid, follow_symlinks=False)
    return Isolation(f"user: runs as user {uid}, the grader as root", scratch, popen)


def _free_uid() -> int:
    """A user that nobody has and that no other grade uses now: each keeper has its own process id."""
    start = os.getpid() % len(DYNAMIC_UIDS)
    for step in range(len(DYNAMIC_UIDS)):
        uid = DYNAMIC_UIDS[(start + step) % len(DYNAMIC_UIDS)]
        with contextlib.suppress(KeyError):
            pwd.getpwuid(uid)
            continue
        return uid
    return DYNAMIC_UIDS[0]


def _works(program: Path, tree: Path, popen: Mapping[str, object]) -> bool:
    try:
        tried: subprocess.CompletedProcess[bytes] = subprocess.run(
            [program, "-c", "import os; os.listdir('.')"],
            cwd=tree,
            capture_output=True,
            timeout=30,
            check=False,
            **popen,  # type: ignore[call-overload]
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0
