"""Which submissions, and under which names: none of them can leave the folder of the reports, or pass for another."""

from pathlib import Path

import pytest

from graders.engine.batch_entries import NoEntries, entries
from labs.catalog import Lab


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder with three submissions, as an instructor has them."""
    folder = tmp_path / "shelf"
    for name in ("alice", "bob"):
        (folder / name).mkdir(parents=True)
    for name in ("carol.zip", ".DS_Store", "notes.txt"):
        (folder / name).touch()
    return folder


def listed(tmp_path: Path, text: str) -> list[Path]:
    file = tmp_path / "list.csv"
    file.write_text(text, encoding="utf-8")
    return [file]


def test_each_of_a_folder(shelf: Path, lab: Lab) -> None:
    found = entries(lab, [shelf], [], each=True)
    assert [entry.name for entry in found] == ["alice", "bob", "carol"]


def test_a_folder_of_folders_alone_is_asked_about(shelf: Path, lab: Lab) -> None:
    (shelf / "notes.txt").unlink()
    with pytest.raises(NoEntries, match="--each"):
        entries(lab, [shelf], [], each=False)


def test_a_service_of_folders_alone_is_one_submission(tmp_path: Path, lab: Lab) -> None:
    """As the files of lesson 5 are: billing/ and migrations/, both known from the reference."""
    (lab.reference / "billing").mkdir()
    (tmp_path / "alice" / "billing").mkdir(parents=True)
    assert [entry.name for entry in entries(lab, [tmp_path / "alice"], [], each=False)] == ["alice"]


def test_a_list_has_a_heading_or_none(shelf: Path, lab: Lab) -> None:
    for heading in ("", "\ufeffName,Path\n"):
        found = entries(lab, [], listed(shelf, f"{heading}Ada, alice\n\nBob,bob\n"), each=False)
        assert [(entry.name, entry.path) for entry in found] == [
            ("Ada", shelf / "alice"),
            ("Bob", shelf / "bob"),
        ]


@pytest.mark.parametrize("text", ["alice", "a,b,c", "Ada,", ",alice", '"Ada,alice', "Ada,no-such-folder", ""])
def test_a_list_that_is_none_is_told(text: str, shelf: Path, lab: Lab) -> None:
    with pytest.raises(NoEntries):
        entries(lab, [], listed(shelf, text), each=False)


HOSTILE = [
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    ".lock",
    "-rf",
    "CON",
    "a/b",
    "x" * 300,
    "x" * 301,
    "\x1b[31mred",
    "two\nlines",
    "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
    "=cmd|' /C calc'!A0",
    "Ada Lovelace",
    "\N{CYRILLIC SMALL LETTER A}da",
    "ada",
    "Ada",
    "ADA",
    "Ada-2",
]


def test_names_can_be_shown_and_name_files_and_are_unique(shelf: Path, lab: Lab) -> None:
    quoted = "".join(f'"{name}",alice\n' for name in HOSTILE)
    found = entries(lab, [], listed(shelf, quoted), each=False)
    assert len(found) == len(HOSTILE)
    for entry in found:
        assert entry.name.isprintable()
        assert len(entry.name) <= 120
        assert Path("reports", f"{entry.file}.json").parent == Path("reports")
        assert not entry.file.startswith((".", "-"))
        assert len(entry.file) <= 80
    assert len({entry.name for entry in found}) == len(HOSTILE)
    assert len({entry.file.casefold() for entry in found}) == len(HOSTILE)


def test_names_are_the_same_every_time(shelf: Path, lab: Lab) -> None:
    """Or a resumed batch would not find its rows."""
    given = [shelf / "alice", shelf / "carol.zip", shelf / "alice"]
    first, second = (entries(lab, given, [], each=False) for _ in range(2))
    assert first == second
    assert [entry.name for entry in first] == ["alice", "carol", "alice-2"]
