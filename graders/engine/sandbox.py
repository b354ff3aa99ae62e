"""How a submission is kept apart: the strongest rung of the ladder that works when tried, and which one it is.

What a box is made of stands in `bubblewrap`; what it may use, and who looks after that, in `limits` and `warden`.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from compose.places import cache_root
from graders.engine import bubblewrap, cgroup, namespaces, seccomp
from graders.engine.bubblewrap import Box, Shown
from graders.engine.cgroup import Cgroup
from graders.engine.lifeline import end_group
from graders.engine.limits import LIMITS, limited
from graders.probes.memory import resident
from labs.catalog import KIT

# systemd's range for users that exist only while a service runs; no account of a person is in it.
DYNAMIC_UIDS = range(61_184, 65_520)

PACKAGE = Path(__file__).parents[2]
APP, SCRATCH, SHARED_MEMORY = Path("/app"), Path("/tmp"), Path("/dev/shm")  # noqa: S108 - in a box of its own

REMEDY = (
    "Install bubblewrap 0.8 or later (apt install bubblewrap) on a machine that allows user namespaces; "
    "`octo_lab doctor` tries it. Work that you trust can be graded with --trusted."
)


class NoSandbox(Exception):
    """Isolation was demanded and none works here; the text says what was tried."""


@dataclass(frozen=True)
class Quarters:
    """Where the submission lives during a grade, as the grader sees it: bounded in size where we have own mounts."""

    home: Path

    @property
    def app(self) -> Path:
        return self.home / "app"

    @property
    def scratch(self) -> Path:
        return self.home / "tmp"

    @property
    def shared_memory(self) -> Path:
        return self.home / "shm"


@dataclass(frozen=True)
class Isolation:
    """How to start the submission's commands. `app` and `scratch`: where those find their tree and their HOME."""

    text: str
    app: Path
    scratch: Path
    prefix: tuple[str, ...] = ()
    filter: Path | None = None
    popen: Mapping[str, Any] = field(default_factory=dict)
    own_user: bool = False

    @property
    def boxed(self) -> bool:
        """Whether what we start is bubblewrap, with the command inside."""
        return bool(self.prefix)

    def start(
        self, command: Sequence[str], env: Mapping[str, str], **pipes: Any
    ) -> "subprocess.Popen[bytes]":
        """Start a command of the submission's, within its limits. `pipes` are arguments of subprocess.Popen."""
        arguments = limited(command, count_processes=self.own_user)
        with contextlib.ExitStack() as stack:
            if self.filter:
                filter = os.open(self.filter, os.O_RDONLY)
                stack.callback(os.close, filter)
                arguments = ["--seccomp", str(filter), "--", *arguments]
                pipes["pass_fds"] = (filter,)
            elif self.boxed:
                arguments = ["--", *arguments]
            return subprocess.Popen(
                [*self.prefix, *arguments],
                cwd="/" if self.boxed else self.app,
                env=dict(env),
                start_new_session=True,
                **{**pipes, **self.popen},
            )

    def signal(self, process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
        """Send a signal to the process group of the command."""
        for group in _groups(process.pid) if self.boxed else {process.pid}:
            end_group(group, number)

    def resident(self, process: "subprocess.Popen[bytes]") -> int:
        """Bytes of physical memory that the command and all it started hold. Raises CannotJudge."""
        return resident(process.pid)

    def end(self, process: "subprocess.Popen[bytes]") -> None:
        """End the command at once; in a box the kernel ends all others with it."""
        end_group(process.pid)


def _groups(pid: int) -> set[int]:
    """In a box: bubblewrap, then the first process of the box, then the command, in a group that the first may lead.

    The first one is its namespace's init: no signal but SIGKILL and SIGSTOP does anything to it (pid_namespaces(7)).
    """
    with contextlib.suppress(psutil.Error, ProcessLookupError):
        commands = [command for first in psutil.Process(pid).children() for command in first.children()]
        return {os.getpgid(command.pid) for command in commands}
    return set()


class Ladder:
    """The rungs on this machine for one run. Enter the namespaces first, while the process has one thread."""

    def __init__(self, run_dir: Path, *, demanded: bool = False) -> None:
        self._run_dir = run_dir
        self._demanded = demanded
        self._refused = "not tried"
        self.cgroup: Cgroup | None = None

    def enter(self, *, network: bool) -> None:
        """Leave the machine's mounts, and with `network` its network, where the kernel lets us."""
        if sys.platform != "linux":
            self._refused = "bubblewrap needs Linux"
        elif not bubblewrap.program():
            self._refused = "bubblewrap is not installed"
        else:
            try:
                namespaces.enter(network=network)
                self._refused = ""
            except OSError as error:
                self._refused = f"no namespaces of our own: {error.strerror or error}"

    def leave(self) -> None:
        """Give back what would outlive the process. Nothing of the submission is left."""
        if self.cgroup:
            self.cgroup.remove()

    def quarters(self) -> Quarters:
        """Empty folders for the submission."""
        made = Quarters(self._run_dir / "quarters")
        if self._refused:
            made.home.mkdir(mode=0o711)
        else:
            namespaces.bounded_folder(made.home, size=LIMITS.quarters, files=LIMITS.quarters_files)
        for folder in (made.app, made.scratch, made.shared_memory):
            folder.mkdir(mode=0o755)
        return made

    def service(self, quarters: Quarters, shown: Sequence[Shown], python: Path) -> Isolation:
        """For the submission's own processes. `shown`: what they stand on; `python` is run once, to try.

        Raises NoSandbox where isolation is demanded and does not work.
        """
        box = Box(
            (
                Shown(quarters.app, APP, writable=True),
                Shown(quarters.scratch, SCRATCH, writable=True),
                Shown(quarters.shared_memory, SHARED_MEMORY, writable=True),
                *shown,
            ),
            _hidden(shown),
            APP,
        )
        folders = (quarters.app, quarters.scratch, quarters.shared_memory)
        found = self._boxed(box, folders, "own network, processes and files")
        counted = self._counted(found)
        if counted and not _refusal(counted, python):
            return counted
        return self._tried(found, python) or self._weaker(quarters, python)

    def _counted(self, isolation: Isolation | None) -> Isolation | None:
        """The same in a memory cgroup, where we may make one: as root, before it becomes another user's."""
        if isolation is None or os.geteuid() != 0:
            return None
        self.cgroup = cgroup.make(self._run_dir, LIMITS.memory + LIMITS.quarters)
        if self.cgroup is None:
            return None
        enter = self.cgroup.entering(isolation.popen["user"])
        return replace(isolation, prefix=(*enter, *isolation.prefix), popen={})

    def installer(self, home: Path, scratch: Path, shown: Sequence[Shown]) -> Isolation:
        """For pip and npm, which write `home` and nothing else, and need the network. Raises NoSandbox."""
        hidden = {Path.home(), *map(Path, PRIVATE), KIT, PACKAGE, cache_root()}
        box = Box(
            (Shown(home, home, writable=True), *(Shown(path, path) for path in _resolver()), *shown),
            tuple(path for path in hidden if path.is_dir()),
            home,
            whole=True,
        )
        found = self._boxed(box, (home,), "own processes and files")
        return self._tried(found, Path("/bin/sh")) or Isolation("none", home, scratch)

    def _boxed(self, box: Box, owned: Sequence[Path], text: str) -> Isolation | None:
        """The box with its files made ready. As root its user is another, to whom `owned` folders are given."""
        if self._refused:
            return None
        popen: dict[str, object] = {}
        if os.geteuid() == 0:
            uid = _free_uid()
            popen = {"user": uid, "group": uid, "extra_groups": []}
            give(owned, uid)
            box = self._within_reach(box)
            text += f", as user {uid}"
        etc = self._run_dir / "etc"
        if not etc.exists():
            bubblewrap.write_etc(etc)
        prefix = tuple(bubblewrap.command(box, etc))
        return Isolation(f"bubblewrap: {text}", box.at, SCRATCH, prefix, self._filter(), popen, own_user=True)

    def _within_reach(self, box: Box) -> Box:
        """The same box from sources that another user can get to, whatever folders they lie in."""
        seen = self._run_dir / "seen"
        seen.mkdir(mode=0o711, exist_ok=True)
        shown = []
        for each in box.shown:
            if not each.writable:
                view = seen / secrets.token_hex(4)
                namespaces.show_again(each.source, view)
                each = Shown(view, each.place)
            shown.append(each)
        return Box(tuple(shown), box.hidden, box.at, box.whole)

    def _filter(self) -> Path | None:
        program = seccomp.program()
        if program is None:
            return None
        path = self._run_dir / "seccomp"
        path.write_bytes(program)
        return path

    def _tried(self, isolation: Isolation | None, program: Path) -> Isolation | None:
        """The isolation, if a command runs in it."""
        if isolation:
            refusal = _refusal(isolation, program)
            if not refusal:
                return isolation
            self._refused = f"bubblewrap does not work here: {refusal}"
        if self._demanded:
            raise NoSandbox(self._refused)
        return None

    def _weaker(self, quarters: Quarters, python: Path) -> Isolation:
        """Another user where we are root and he can run the Python of the submission, else our own."""
        if os.geteuid() != 0:
            return Isolation(
                f"none: runs as the same user as the grader ({self._refused})", quarters.app, quarters.scratch
            )
        uid = _free_uid()
        folders = (quarters.app, quarters.scratch)
        popen = {"user": uid, "group": uid, "extra_groups": []}
        give(folders, uid)
        text = f"user: runs as user {uid}, the grader as root ({self._refused})"
        found = Isolation(text, quarters.app, quarters.scratch, popen=popen, own_user=True)
        if not _refusal(found, python):
            return found
        give(folders, 0)
        text = f"none: runs as root, since other users cannot reach this Python ({self._refused})"
        return Isolation(text, quarters.app, quarters.scratch)


# What an installer needs nothing of: people's files, sockets of services, other programs' data.
PRIVATE = ("/home", "/root", "/run", "/var", "/srv", "/mnt", "/media", "/tmp", "/boot", "/sys")  # noqa: S108


def give(folders: Sequence[Path], uid: int) -> None:
    """Make the folders and all in them belong to `uid`, links themselves and not what they point to."""
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, uid, uid, follow_symlinks=False)


def python_folders() -> Iterator[Shown]:
    """The Python that the submissions' environments stand on, where it is not the system's own."""
    for prefix in {Path(sys.base_prefix), Path(sys.base_prefix).resolve()}:
        if not prefix.is_relative_to("/usr") and not Path.home().is_relative_to(prefix):
            yield Shown(prefix, prefix)


def node_folders() -> Iterator[Shown]:
    """Node.js, where it is not the system's own: its whole tree, or the program alone if that would show a home."""
    found = shutil.which("node")
    if found and not (program := Path(found).resolve()).is_relative_to("/usr"):
        prefix = program.parent.parent
        place = program if Path.home().is_relative_to(prefix) else prefix
        yield Shown(place, place)


def _hidden(shown: Sequence[Shown]) -> tuple[Path, ...]:
    """The kit, should it lie below something that is shown."""
    places = [*map(Path, bubblewrap.SYSTEM), *(each.place for each in shown)]
    return tuple(path for path in {KIT, PACKAGE} if any(path.is_relative_to(place) for place in places))


def _resolver() -> Iterator[Path]:
    """The file that /etc/resolv.conf points to, often below /run."""
    target = Path("/etc/resolv.conf").resolve()
    if target.is_file() and target != Path("/etc/resolv.conf"):
        yield target


def _refusal(isolation: Isolation, program: Path) -> str:
    """Why `program` cannot be run in the isolation; empty when it can."""
    try:
        tried = isolation.start(
            [str(program), "-c", "exit(0)" if "python" in program.name else "exit 0"],
            {"PATH": "/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said, _ = tried.communicate(timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if tried.returncode == 0:
        return ""
    words = said.decode("utf-8", "replace").strip().splitlines()
    return words[-1] if words else f"exit code {tried.returncode}"


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


def main() -> int:
    """Try the ladder in a folder that is given, and say which rung a grade would stand on."""
    ladder = Ladder(Path(sys.argv[1]))
    ladder.enter(network=True)
    print(ladder.service(ladder.quarters(), [*python_folders()], Path("/bin/sh")).text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
