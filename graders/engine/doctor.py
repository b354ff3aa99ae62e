"""What this machine has for the kit, what it lacks, and what to do about it."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from compose import dataset_cache, engine, places
from compose.binaries import BinaryName, find_binary, version
from compose.identity import stores_identity
from compose.reachable import postgres_programs, valkey_program
from compose.stores import StoresFailed
from graders.engine import attempts
from graders.engine.attempts import StoreUnusable
from graders.engine.sandbox import REMEDY

MIB = 1024 * 1024
NEEDED = 2048 * MIB


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `fine` is false where a grade would not work; what is optional is fine, and says so."""

    subject: str
    fine: bool
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        line = f"{'ok  ' if self.fine else 'FAIL'} {self.subject:12}{self.text}"
        return f"{line}\n{'':17}{self.remedy}" if self.remedy else line


def examine() -> Iterator[Finding]:
    """Look at everything a grade needs, and at what it can use."""
    yield Finding("system", True, f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores")
    yield Finding("python", True, f"{platform.python_version()} in {sys.prefix}")
    yield _tried("cache", lambda: f"{places.cache_root()}, {_size() // MIB} MiB in use")
    yield _space()
    yield _tried("postgres", lambda: _told("postgres", postgres_programs(stores_identity()).postgres))
    yield _tried("valkey", lambda: _told("valkey-server", valkey_program(stores_identity()).path))
    yield _sandbox()
    yield _docker()
    yield _attempts()
    yield _optional("git", "authors need it: fixes are patches")
    yield _optional("node", "only submissions written for Node.js need it")
    yield _optional("psql", "optional; `octo_lab run` prints one that works")


def clean() -> Iterator[Finding]:
    """Sweep what killed runs left, then empty the cache; runs that are under way keep what they use."""
    swept = places.sweep()
    yield Finding("runs", True, f"{len(swept)} left by killed runs, removed")
    freed = dataset_cache.clean()
    yield Finding("datasets", True, f"{freed // MIB} MiB freed")
    yield from _clean_docker()
    alive = [path for path in (places.cache_root() / "runs").iterdir() if path.is_dir()]
    for name in ("python", "node", "binaries"):
        if alive:
            yield Finding(name, True, f"kept: {len(alive)} grade(s) under way use it")
            continue
        folder = places.cache_root() / name
        size = _below(folder)
        shutil.rmtree(folder, ignore_errors=True)
        yield Finding(name, True, f"{size // MIB} MiB freed")


def _told(name: BinaryName, used: Path) -> str:
    found = find_binary(name)
    where = f"{used}" if used == found else f"{used} (a copy of {found})"
    return f"{version(used, stores_identity())} from {where}"


def _tried(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, look())
    except StoresFailed as error:
        return Finding(subject, False, error.problem, error.remedy)
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(subject, False, str(error), "Install the kit again: make grade")


def _space() -> Finding:
    try:
        free = shutil.disk_usage(places.cache_root()).free
    except StoresFailed as error:
        return Finding("disk", False, error.problem, error.remedy)
    enough = free >= NEEDED
    remedy = "" if enough else "Free some space, or set OCTO_LAB_CACHE to a folder on a larger disk."
    return Finding("disk", enough, f"{free // MIB} MiB free, {NEEDED // MIB} MiB are comfortable", remedy)


def _attempts() -> Finding:
    try:
        attempts.records()
    except StoreUnusable as error:
        return Finding("attempts", False, str(error), "Without it grades work, but are not recorded.")
    return Finding("attempts", True, str(attempts.place()))


def _sandbox() -> Finding:
    """Which rung a grade would stand on here, tried in a process of its own: trying changes the process."""
    with places.run_directory() as run:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "graders.engine.sandbox", str(run.path)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    text = done.stdout.strip() or f"none: {done.stderr.strip()[-200:]}"
    boxed = text.startswith("bubblewrap")
    return Finding("sandbox", True, text, "" if boxed else f"Enough for your own work. For others': {REMEDY}")


def _docker() -> Finding:
    """For --on docker; a grade needs none."""
    try:
        with engine.connected() as client:
            return Finding("docker", True, f"engine {client.version()['Version']}")
    except StoresFailed as error:
        return Finding("docker", True, f"{error.problem} (only --on docker needs it)", error.remedy)


def _clean_docker() -> Iterator[Finding]:
    with suppress(StoresFailed), engine.connected() as client:
        engine.lost(client, places.cache_root() / "runs")
        yield Finding("docker", True, f"{engine.clean(client) // MIB} MiB of images freed")


def _optional(program: str, use: str) -> Finding:
    found = shutil.which(program)
    return Finding(program, True, found or f"not there ({use})")


def _size() -> int:
    return _below(places.cache_root())


def _below(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
