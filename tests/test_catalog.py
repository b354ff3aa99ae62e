"""Manifests are read strictly, and lessons are found by any of their names."""

import shutil
from pathlib import Path

import pytest

from labs.catalog import ManifestError, UnknownLesson, all_labs, canonical, find, load

MINI_KIT = Path(__file__).parent / "engine" / "mini_kit"


@pytest.mark.parametrize("asked", ["lesson-05", "lesson-5", "05", "5", "Lesson_5", " lesson-05 "])
def test_every_name_of_a_lesson_is_understood(asked: str) -> None:
    assert canonical(asked) == "lesson-05"
    assert find(asked).id == "lesson-05"


def test_a_mistyped_lesson_gets_suggestions() -> None:
    with pytest.raises(UnknownLesson) as unknown:
        find("leson-05")
    assert "lesson-05" in unknown.value.suggestions


def test_all_labs_come_in_order() -> None:
    ids = [lab.id for lab in all_labs()]
    assert ids == sorted(ids)
    assert "lesson-05" in ids


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("minutes = 10", "minutes = '10'", "minutes"),
        ("minutes = 10", "", "minutes"),
        ('id = "lesson-01"', 'id = "lesson-02"', "folder"),
        ('fails = ["doubles"]', 'fails = ["nothing"]', "nothing"),
        ('criterion = "arithmetic"', 'criterion = "geometry"', "geometry"),
        ('id = "doubles-large"', 'id = "doubles"', "twice"),
        ("points = 2", "points = 0", "points"),
        ('"Look at the handler first.", ', "", "hints"),
        ("version = 1", "version = 1\nsurprise = true", "surprise"),
        ("version = 1", "version = ", "lab.toml"),
    ],
)
def test_every_fault_of_a_manifest_is_named(before: str, after: str, fault: str, tmp_path: Path) -> None:
    kit = Path(shutil.copytree(MINI_KIT, tmp_path / "kit"))
    manifest = kit / "labs" / "lesson-01" / "lab.toml"
    text = manifest.read_text()
    assert before in text
    manifest.write_text(text.replace(before, after, 1))
    with pytest.raises(ManifestError, match=fault):
        load(manifest)
