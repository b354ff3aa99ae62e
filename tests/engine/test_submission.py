"""What a submission may be, and what tree it becomes."""

import os
from pathlib import Path

import pytest

from graders.engine.submission import (
    SubmissionRefused,
    examine,
    from_fix,
    from_folder,
    lay,
    reference,
    tree_hash,
)
from labs.catalog import Lab


def files(tree: Path) -> set[str]:
    return {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    return folder


def test_reference_is_whole(lab: Lab, tree: Path) -> None:
    lay(reference(), lab, tree)
    assert files(tree) == files(lab.reference)


def test_files_of_the_submission_win(lab: Lab, submission: Path, tree: Path) -> None:
    (submission / "web.py").write_text("mine")
    lay(from_folder(submission), lab, tree)
    assert (tree / "web.py").read_text() == "mine"
    assert (tree / "Procfile").read_text() == (lab.reference / "Procfile").read_text()


def test_a_deleted_lesson_file_stays_deleted(lab: Lab, submission: Path, tree: Path) -> None:
    (submission / "web.py").unlink()
    (submission / "other.py").touch()
    lay(from_folder(submission), lab, tree)
    assert "web.py" not in files(tree), "the reference's right answer must never shine through"


def test_a_folder_may_be_named_from_where_one_stands(
    lab: Lab, submission: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(submission.parent)
    mine = from_folder(Path(submission.name))
    monkeypatch.chdir("/")  # a grade works elsewhere
    lay(mine, lab, tree)
    assert mine.name == submission.name
    assert "web.py" in files(tree)


def test_a_fix_lies_over_the_whole_reference(lab: Lab, tree: Path) -> None:
    lay(from_fix(lab.grader / "right_fixes" / "other-words"), lab, tree)
    assert "<< 1" in (tree / "web.py").read_text()
    assert files(tree) == files(lab.reference)


def test_a_patch_is_applied(lab: Lab, tree: Path) -> None:
    lay(from_fix(lab.grader / "wrong_fixes" / "adds-two.patch"), lab, tree)
    assert "number + 2" in (tree / "web.py").read_text()


def test_a_patch_that_does_not_apply_is_refused(lab: Lab, tree: Path) -> None:
    (lab.reference / "web.py").write_text("something else")
    with pytest.raises(SubmissionRefused, match="does not apply"):
        lay(from_fix(lab.grader / "wrong_fixes" / "adds-two.patch"), lab, tree)


def symlink_out(folder: Path) -> None:
    (folder / "secrets").symlink_to("/etc/passwd")


def symlink_folder(folder: Path) -> None:
    (folder / "lib").symlink_to("..", target_is_directory=True)


def fifo(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def line_break_in_name(folder: Path) -> None:
    (folder / "two\nlines.py").touch()


def escape_in_name(folder: Path) -> None:
    (folder / "\x1b[2J.py").touch()


def too_many_files(folder: Path) -> None:
    for number in range(5_001):
        (folder / f"{number}.txt").touch()


def too_large(folder: Path) -> None:
    with (folder / "huge.bin").open("wb") as file:
        file.truncate(101 * 1024 * 1024)


def too_deep(folder: Path) -> None:
    deep = folder.joinpath(*["d"] * 30)
    deep.mkdir(parents=True)
    (deep / "file").touch()


def file_for_a_folder(folder: Path) -> None:
    (folder / "Procfile").mkdir()
    (folder / "Procfile" / "web").touch()


@pytest.mark.parametrize(
    "spoil",
    [
        symlink_out,
        symlink_folder,
        fifo,
        line_break_in_name,
        escape_in_name,
        too_many_files,
        too_large,
        too_deep,
        file_for_a_folder,
    ],
)
def test_refused(spoil: object, lab: Lab, submission: Path, tree: Path) -> None:
    assert callable(spoil)
    spoil(submission)
    for look in (lambda mine: examine(mine, lab), lambda mine: lay(mine, lab, tree)):
        with pytest.raises(SubmissionRefused) as refused:
            look(from_folder(submission))
        assert refused.value.remedy
        assert str(refused.value).isprintable(), "it must not carry control characters to the terminal"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["web.py", "."])
def test_what_cannot_be_read_is_refused(name: str, lab: Lab, submission: Path, tree: Path) -> None:
    (submission / name).chmod(0)
    try:
        with pytest.raises(SubmissionRefused, match="cannot be read"):
            lay(from_folder(submission), lab, tree)
    finally:
        (submission / name).chmod(0o755)


def test_an_empty_or_missing_folder_is_refused(lab: Lab, tmp_path: Path, tree: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "missing"):
        with pytest.raises(SubmissionRefused):
            lay(from_folder(folder), lab, tree)


def test_tools_leftovers_are_no_part_of_it(lab: Lab, submission: Path, tree: Path) -> None:
    for name in (".git", "__pycache__", "node_modules", ".venv"):
        (submission / name).mkdir()
        (submission / name / "x.pyc").touch()
    lay(from_folder(submission), lab, tree)
    assert files(tree) == files(lab.reference)


def test_the_hash_tells_every_change(tree: Path) -> None:
    (tree / "a").write_text("1")
    seen = {tree_hash(tree)}
    (tree / "a").write_text("2")
    seen.add(tree_hash(tree))
    (tree / "a").chmod(0o755)
    seen.add(tree_hash(tree))
    (tree / "a").rename(tree / "b")
    seen.add(tree_hash(tree))
    assert len(seen) == 4
    assert tree_hash(tree) in seen
