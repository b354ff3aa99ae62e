"""Work that was done is not done again, and a cache that fails is only slow."""

from pathlib import Path

import pytest

from graders.probes import kept_work
from graders.probes.kept_work import kept


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kept_work, "cache_root", lambda: tmp_path)
    return tmp_path


def never() -> object:
    raise AssertionError("it was kept")


def test_the_same_inputs_are_worked_on_once() -> None:
    assert kept("sums", ["1", "2"], lambda: {"sum": 3}) == {"sum": 3}
    assert kept("sums", ["1", "2"], never) == {"sum": 3}
    assert kept("sums", ["12"], lambda: {"sum": 12}) == {"sum": 12}


def test_what_is_raised_is_not_kept() -> None:
    with pytest.raises(ZeroDivisionError):
        kept("sums", ["x"], lambda: 1 // 0)
    assert kept("sums", ["x"], lambda: 4) == 4


def test_a_damaged_file_is_made_again(cache: Path) -> None:
    kept("sums", ["1"], lambda: 1)
    [file] = (cache / "sums").iterdir()
    file.write_text("{")
    assert kept("sums", ["1"], lambda: 2) == 2
    assert kept("sums", ["1"], never) == 2


def test_a_cache_that_cannot_be_written_is_only_slow(cache: Path) -> None:
    (cache / "sums").write_text("no folder")
    assert kept("sums", ["1"], lambda: 1) == 1


def test_the_oldest_go(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_work, "MOST", 2)
    for number in range(5):
        kept("sums", [str(number)], lambda: 1)
    assert len([*(cache / "sums").iterdir()]) == 2
