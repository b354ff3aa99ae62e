"""Datasets are built once, copied for every run, checked then, and go when others need the room."""

import errno
import json
import os
import shutil
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from compose import dataset_cache, disk, tree
from compose.dataset_cache import BOUND_VARIABLE
from compose.identity import Identity
from compose.locks import locked
from compose.places import run_directory
from compose.stores import Dataset, PostgresServer, StoresFailed
from tests.compose.conftest import POSTGRES, Numbers, Told, stores

PREPARING = "Preparing the data of this lesson, once on this machine."
DAMAGED = "The cached data of this lesson are damaged; they are thrown away and built again."


def sum_of_numbers(dataset: Dataset, told: Told | None = None) -> int:
    with stores(POSTGRES, dataset, say=told or Told()) as up:
        assert up.postgres
        with psycopg.connect(up.postgres.url(up.postgres.app)) as session:
            (total,) = session.execute("SELECT sum(n) FROM numbers").fetchone() or (0,)
            return int(total)


def entry(cache: Path) -> Path:
    (manifest,) = (cache / "datasets").glob("*/manifest.json")
    return manifest.parent


def test_built_once_and_copied_for_every_run(cache: Path, told: Told) -> None:
    numbers = Numbers()
    with stores(POSTGRES, numbers.dataset(), say=told) as up:
        assert up.postgres
        with psycopg.connect(up.postgres.url(up.postgres.owner)) as session:
            used = session.execute("SELECT seq_scan, n_tup_ins FROM pg_stat_user_tables").fetchall()
            assert used == [(0, 0)]  # statistics of the build do not count
            session.execute("UPDATE numbers SET n = 0")
    assert sum_of_numbers(numbers.dataset(), told) == 500_500  # the cache does not see what a run writes
    assert numbers.built == 1
    assert told.lines == [PREPARING]


def test_builders_at_once_build_once(own_cache: Path) -> None:
    numbers = Numbers()
    told = Told()
    with ThreadPoolExecutor(3) as pool:
        sums = list(pool.map(lambda _: sum_of_numbers(numbers.dataset(), told), range(3)))
    assert sums == [500_500] * 3
    assert numbers.built == 1
    assert told.lines.count(PREPARING) == 1


def test_a_damaged_entry_is_built_again(own_cache: Path, told: Told) -> None:
    numbers = Numbers()
    assert sum_of_numbers(numbers.dataset(), told) == 500_500
    (entry(own_cache) / "cluster" / numbers.file).unlink()
    assert sum_of_numbers(numbers.dataset(), told) == 500_500
    os.truncate(entry(own_cache) / "cluster" / numbers.file, 8192)
    assert sum_of_numbers(numbers.dataset(), told) == 500_500
    assert numbers.built == 3
    assert told.lines == [PREPARING, *[DAMAGED, PREPARING] * 2]


@pytest.mark.parametrize("manifest", ["", "{", "[]", '{"directories": [], "files": []}'])
def test_a_damaged_manifest_is_seen(cache: Path, tmp_path: Path, manifest: str) -> None:
    (tmp_path / "cluster" / "base").mkdir(parents=True)
    (tmp_path / "password").touch()
    (tmp_path / "manifest.json").write_text(manifest)
    assert not dataset_cache._intact(tmp_path)


def test_a_file_that_was_touched_is_seen(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    before = tree.listing(tmp_path)
    assert tree.listing(tmp_path) == before
    os.utime(tmp_path / "file", (0, 0))
    assert tree.listing(tmp_path) != before
    with pytest.raises(tree.Differs, match="file has changed"):
        tree.copy(tmp_path, before, tmp_path / "copy", Identity())


def test_a_damaged_page_is_an_error_and_no_answer(own_cache: Path) -> None:
    numbers = Numbers()
    sum_of_numbers(numbers.dataset())
    table = entry(own_cache) / "cluster" / numbers.file
    before = table.stat()
    whole = table.read_bytes()
    table.write_bytes(whole[:8000] + bytes(100) + whole[8100:])
    os.utime(table, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(psycopg.errors.DataCorrupted):
        sum_of_numbers(numbers.dataset())


def test_a_fill_that_fails_leaves_nothing(own_cache: Path) -> None:
    def fill(server: PostgresServer) -> None:
        raise ZeroDivisionError

    with run_directory() as run, pytest.raises(ZeroDivisionError), stores(POSTGRES, Dataset("broken", fill)):
        pass
    assert dataset_cache.usage() == []
    assert not list(run.path.parent.glob("*/"))


def shelve(cache: Path, name: str, used: int) -> None:
    """An entry of 10 MiB that was last used at the second `used`."""
    place = cache / "datasets" / name
    (place / "cluster").mkdir(parents=True)
    (place / "cluster" / "data").touch()
    os.truncate(place / "cluster" / "data", 10 * disk.MIB)
    (place / "manifest.json").write_text(json.dumps(tree.listing(place / "cluster").as_json()))
    os.utime(place / "manifest.json", (used, used))


def names() -> list[str]:
    return [one.name for one in dataset_cache.usage()]


def test_the_least_recently_used_go_first(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for used, name in enumerate(("oldest", "copied now", "newest"), start=1):
        shelve(own_cache, name, used)
    monkeypatch.setenv(BOUND_VARIABLE, "50")
    with locked(own_cache / "datasets" / "copied now.lock", shared=True):
        sum_of_numbers(Numbers().dataset())  # of 25 MiB
    *old, built = names()
    assert old == ["copied now", "newest"]
    monkeypatch.setenv(BOUND_VARIABLE, "0")
    dataset_cache._evict(keep=built)
    assert names() == [built]
    assert dataset_cache.clean() > 20 * disk.MIB
    assert names() == []


def test_an_odd_bound_is_explained(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BOUND_VARIABLE, "4 GiB")
    with pytest.raises(StoresFailed, match="OCTO_LAB_CACHE_MAX is '4 GiB'") as failed, stores(POSTGRES):
        pass
    assert "number of MiB" in failed.value.remedy


def test_a_full_disk_is_seen_before_it_is_met(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**40, 2**40 - 100 * disk.MIB, 100 * disk.MIB))
    with (
        pytest.raises(StoresFailed, match="1024 MiB are needed, 100 MiB are free") as failed,
        stores(POSTGRES),
    ):
        pass
    assert "doctor --clean" in failed.value.remedy
    assert dataset_cache.usage() == []


def test_a_disk_that_fills_up_while_copying_is_explained(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tree, "_copy_bytes", full)
    with pytest.raises(StoresFailed, match="The disk is full"), stores(POSTGRES):
        pass
