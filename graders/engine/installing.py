"""Runs pip and npm: in a box that can write one folder, or plainly where no box is to be had. What for: `runtime`."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from graders.engine.bubblewrap import Shown
from graders.engine.lifeline import end_group
from graders.engine.limits import LIMITS, MIB
from graders.engine.sandbox import Isolation, Ladder, give, node_folders, python_folders

# How this machine reaches its package registries; nothing else of the grader's environment goes in.
PASSED = ("PIP_", "NPM_CONFIG_", "npm_config_", "SSL_CERT_", "REQUESTS_CA_", "CURL_CA_", "NODE_EXTRA_CA_")
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
SETTINGS = (".config/pip", ".pip", ".npmrc")
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
LOOK_EVERY = 0.5
TOLD = 64 * 1024  # characters of what an installer says


@dataclass(frozen=True)
class Installation:
    """One command that fills the folder `home`. `modules`: folders where it can import Python packages from."""

    command: list[str]
    home: Path
    modules: tuple[Path, ...]
    seconds: float

    @property
    def scratch(self) -> Path:
        return self.home / ".scratch"


@dataclass(frozen=True)
class Installed:
    """How it ended: the exit code, or None where it was stopped, for its size or for its time."""

    code: int | None
    output: str
    too_large: bool = False


Run = Callable[[Installation], Installed]


def plainly(installation: Installation) -> Installed:
    """As the user that we are."""
    return _run(installation, Isolation("none", installation.home, Path.home()))


def boxed(ladder: Ladder) -> Run:
    """In a box of its own where the ladder has one. Raises NoSandbox where it must have one."""

    def run(installation: Installation) -> Installed:
        shown = [*python_folders(), *node_folders(), *(Shown(path, path) for path in installation.modules)]
        shown += [Shown(path, installation.scratch / path.relative_to(Path.home())) for path in _settings()]
        installation.scratch.mkdir()
        try:
            return _run(installation, ladder.installer(installation.home, installation.scratch, shown))
        finally:
            if os.geteuid() == 0:
                give([installation.home], 0)

    return run


def _run(installation: Installation, isolation: Isolation) -> Installed:
    scratch, log = installation.scratch, installation.home.with_suffix(".log")
    scratch.mkdir(exist_ok=True)
    try:
        with log.open("wb") as output:
            process = isolation.start(
                installation.command,
                _environment(installation, isolation),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            stopped = _stopped(process, installation)
        return stopped or Installed(process.returncode, log.read_text("utf-8", "replace")[-TOLD:])
    finally:
        log.unlink(missing_ok=True)
        shutil.rmtree(scratch, ignore_errors=True)


def _stopped(process: "subprocess.Popen[bytes]", installation: Installation) -> Installed | None:
    """Wait for the end. Not None: it took too long or wrote too much, and was ended."""
    deadline = time.monotonic() + installation.seconds
    try:
        while True:
            try:
                process.wait(LOOK_EVERY)
                return None
            except subprocess.TimeoutExpired:
                if time.monotonic() > deadline:
                    return Installed(None, f"The installation took longer than {installation.seconds:.0f} s.")
                if _size(installation.home) > LIMITS.installed:
                    problem = f"The dependencies take more than {LIMITS.installed // MIB} MiB."
                    return Installed(None, problem, too_large=True)
    finally:
        end_group(process.pid)
        process.wait()


def _environment(installation: Installation, isolation: Isolation) -> dict[str, str]:
    home = str(installation.scratch if isolation.boxed else Path.home())
    program = str(Path(installation.command[0]).parent)
    folders = [program, *(str(Path(node).parent) for node in [shutil.which("node")] if node), SYSTEM_PATH]
    passed = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(PASSED) or name.lower() in PROXIES
    }
    return passed | {
        "HOME": home,
        "TMPDIR": str(installation.scratch),
        "LANG": "C.UTF-8",
        "PATH": ":".join(folders),
        "PYTHONPATH": ":".join(map(str, installation.modules)),
    }


def _settings() -> Iterator[Path]:
    """Where people keep the addresses of their registries."""
    return (path for name in SETTINGS if (path := Path.home() / name).exists())


def _size(folder: Path) -> int:
    """Of the files; those that go while we look are not counted (rglob fails where a folder goes)."""
    size = 0
    for inside, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):
                size += Path(inside, name).lstat().st_size
    return size
