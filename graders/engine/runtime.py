"""What a submission's language needs to run: a Python environment and node_modules, built once and kept in the cache."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from compose.locks import locked
from compose.places import cache_root
from graders.engine.installing import Installation, Run, plainly
from graders.engine.package_lock import NotLocked, expect_locked
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


def python_environment(
    requirements: Path, *, seconds: float = 300, install: bool = True, run: Run = plainly
) -> Path:
    """The bin folder of a virtual environment that holds exactly `requirements`. Raises InstallFailed.

    install: whether one may be made; else it must be there from an earlier grade. run: how pip is started.
    """
    listed = requirements.read_bytes()
    lines = _releases(listed)
    home = cache_root() / "python" / _key(listed, sys.version.encode(), sys.base_prefix.encode())

    def build() -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
        wanted = home / "requirements.txt"
        wanted.write_text("\n".join(lines), encoding="utf-8")
        # Wheels alone: a source distribution is built by code of its own.
        # -P: what a wheel puts into the working directory is no module of pip's.
        command = [str(home / "bin" / "python"), "-P", "-m", "pip", "--quiet", "--no-input", "install"]
        command += ["--only-binary=:all:", "--requirement", str(wanted)]
        _succeed(Installation(command, home, (_pip_alone(),), seconds), run)

    _once(home, build, install)
    return home / "bin"


def node_modules(tree: Path, *, seconds: float = 300, install: bool = True, run: Run = plainly) -> Path:
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
    locked_releases(*files)
    home = cache_root() / "node" / _key(*(file.read_bytes() for file in files))

    def build() -> None:
        home.mkdir(parents=True)
        for file in files:
            shutil.copy(file, home)
        (home / "node_modules").mkdir()  # npm makes none where nothing is wanted
        # A lock may say where each package lies; the registry alone is asked.
        command = [npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
        command += ["--replace-registry-host=always"]  # a lock says what, this machine says where from
        command += ["--replace-registry-host=always", "--no-update-notifier"]
        _succeed(Installation(command, home, (), seconds), run)

    _once(home, build, install)
    return home / "node_modules"


def named_releases(requirements: Path) -> bytes:
    """The list as pip may be given it. Raises InstallFailed."""
    return "\n".join(_releases(requirements.read_bytes())).encode()


def locked_releases(package: Path, lock: Path) -> None:
    """Raise InstallFailed unless npm would fetch releases alone."""
    try:
        expect_locked(package, lock)
    except NotLocked as error:
        raise _not_locked(str(error)) from error


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


def _pip_alone() -> Path:
    """A folder that holds our pip and nothing else to import, copied once."""
    found = find_spec("pip")
    if found is None or not found.origin:
        raise InstallFailed(
            "The Python of octo_lab has no pip to install a submission's dependencies with.",
            f"Install it: {sys.executable} -m ensurepip",
            "",
            machine=True,
        )
    pip = Path(found.origin).parent
    place = cache_root() / "tools" / _key(version("pip").encode())
    if not place.exists():
        half = place.with_name(f"{place.name}.{os.getpid()}")
        shutil.copytree(pip, half / "pip", ignore=shutil.ignore_patterns("__pycache__"))
        try:
            half.rename(place)
        except OSError:  # another grade was quicker
            shutil.rmtree(half)
    return place


def not_installed() -> InstallFailed:
    """What to raise when something is missing, and nothing may be installed."""
    return InstallFailed(
        "The submission's dependencies are not installed, and --no-install forbids to install them.",
        "Grade once without --no-install, on a machine with a network.",
        "",
        machine=True,
    )


def _once(home: Path, build: Callable[[], None], install: bool) -> None:
    """Run `build` unless an earlier one finished; a half-built folder is thrown away."""
    home.parent.mkdir(parents=True, exist_ok=True)
    done = home / ".complete"
    with locked(home.with_suffix(".lock")):
        if done.exists():
            os.utime(done)
            return
        if not install:
            raise not_installed()
        shutil.rmtree(home, ignore_errors=True)
        try:
            build()
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
        done.touch()


def _succeed(installation: Installation, run: Run) -> None:
    done = run(installation)
    if done.code is None:
        raise InstallFailed(
            done.output, "Name fewer or smaller packages, or try again.", "", machine=not done.too_large
        )
    if done.code:
        output = "\n".join(done.output.strip().splitlines()[-20:])
        machine = bool(NETWORK.search(done.output))
        remedy = "Check the network, then grade again." if machine else "Mend the list of requirements."
        raise InstallFailed("The dependencies could not be installed.", remedy, output, machine=machine)


def _key(*parts: bytes) -> str:
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()[:20]
