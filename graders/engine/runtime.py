"""What a submission's language needs to run: a Python environment and node_modules, built once and kept in the cache."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from compose.locks import locked
from compose.places import cache_root
from graders.engine.requirements import NotARelease, releases

NETWORK = re.compile(
    r"Retrying \(|NewConnectionError|Temporary failure in name|Network is unreachable|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED"
)


class InstallFailed(Exception):
    """The dependencies cannot be had. `machine` is true where the network or a missing program is to blame."""

    def __init__(self, problem: str, remedy: str, output: str, *, machine: bool) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.output = output
        self.machine = machine


def python_environment(requirements: Path, *, seconds: float = 300) -> Path:
    """The bin folder of a virtual environment that holds exactly `requirements`. Raises InstallFailed."""
    listed = requirements.read_bytes()
    lines = _releases(listed)
    key = _key(listed, sys.version.encode(), sys.base_prefix.encode())
    home = cache_root() / "python" / key

    def build() -> None:
        python = str(home / "bin" / "python")
        _run([sys.executable, "-m", "venv", "--without-pip", str(home)], seconds)
        wanted = home / "requirements.txt"
        wanted.write_text("\n".join(lines), encoding="utf-8")
        # Wheels alone: a source distribution is built by code of its own, which would run as the grader.
        _run([*_pip(python), "install", "--only-binary=:all:", "--requirement", str(wanted)], seconds)

    _once(home, build)
    return home / "bin"


def node_modules(tree: Path, *, seconds: float = 300) -> Path:
    """The node_modules of the tree's package.json, from the cache. Raises InstallFailed."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        raise InstallFailed(
            "The submission has a package.json, and this machine has no Node.js.",
            "Install Node.js 18 or later with npm, then grade again.",
            "",
            machine=True,
        )
    files = [tree / "package.json", tree / "package-lock.json"]
    _expect_locked(files[1])
    home = cache_root() / "node" / _key(*(file.read_bytes() for file in files))

    def build() -> None:
        home.mkdir(parents=True)
        for file in files:
            shutil.copy(file, home)
        _run([npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"], seconds, cwd=home)

    _once(home, build)
    return home / "node_modules"


def _expect_locked(lock: Path) -> None:
    """Every package is a release with a known content: npm runs as the grader, and must run nothing of theirs.

    Raises InstallFailed. Links, paths and git addresses have no `integrity` in a lock.
    """
    try:
        packages = json.loads(lock.read_bytes())["packages"]
        loose = [name for name, entry in packages.items() if name and not _is_release(entry)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _not_locked(f"package-lock.json cannot be used: {error!r}") from error
    if loose:
        raise _not_locked(f"package-lock.json names what is no release of a package: {', '.join(loose[:5])}")


def _is_release(entry: dict[str, object]) -> bool:
    address = str(entry.get("resolved", "https://"))
    return bool(entry.get("integrity")) and not entry.get("link") and address.startswith("https://")


def _not_locked(problem: str) -> InstallFailed:
    how = "Name releases in package.json, and hand in the package-lock.json that `npm install` writes."
    return InstallFailed(problem, how, how, machine=False)


def _releases(listed: bytes) -> list[str]:
    try:
        return releases(listed)
    except NotARelease as line:
        raise InstallFailed(
            f"requirements.txt has a line that names no release of a package: {line}",
            "Mend the list of requirements.",
            "Name packages as `name==version`: no options, addresses or paths.",
            machine=False,
        ) from line


def _pip(python: str) -> Sequence[str]:
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    return [sys.executable, "-m", "pip", "--python", python, *quiet]


def _once(home: Path, build: Callable[[], None]) -> None:
    """Run `build` unless an earlier one finished; a half-built folder is thrown away."""
    home.parent.mkdir(parents=True, exist_ok=True)
    done = home / ".complete"
    with locked(home.with_suffix(".lock")):
        if done.exists():
            os.utime(done)
            return
        shutil.rmtree(home, ignore_errors=True)
        try:
            build()
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
        done.touch()


def _run(command: Sequence[str], seconds: float, cwd: Path | None = None) -> None:
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, errors="replace", timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InstallFailed(
            f"The installation took longer than {seconds:.0f} s.", "Try again.", "", machine=True
        ) from error
    if done.returncode:
        output = "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])
        machine = bool(NETWORK.search(done.stdout + done.stderr))
        remedy = "Check the network, then grade again." if machine else "Mend the list of requirements."
        raise InstallFailed("The dependencies could not be installed.", remedy, output, machine=machine)


def _key(*parts: bytes) -> str:
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()[:20]
