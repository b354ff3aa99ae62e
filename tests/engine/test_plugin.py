"""What a check is given of a submission."""

import os
from pathlib import Path

import pytest

from graders.engine.plugin import DOCUMENT_CAP, read_document


def test_a_document_is_read(tmp_path: Path) -> None:
    (tmp_path / "decisions").mkdir()
    (tmp_path / "decisions" / "indexes.md").write_text("é")
    assert read_document(tmp_path, "decisions/indexes.md") == "é"


@pytest.mark.parametrize("spoil", ["missing", "link", "folder link", "pipe", "folder", "large", "not UTF-8"])
def test_what_is_no_document_of_the_tree_is_none(spoil: str, tmp_path: Path) -> None:
    """A running service may put anything there, to make the grader read what it cannot."""
    tree, secret = tmp_path / "tree", tmp_path / "secret"
    (tree / "decisions").mkdir(parents=True)
    secret.mkdir()
    (secret / "indexes.md").write_text("for the grader alone")
    document = tree / "decisions" / "indexes.md"
    match spoil:
        case "link":
            document.symlink_to(secret / "indexes.md")
        case "folder link":
            document.parent.rmdir()
            document.parent.symlink_to(secret)
        case "pipe":
            os.mkfifo(document)
        case "folder":
            document.mkdir()
        case "large":
            document.write_text("x" * (DOCUMENT_CAP + 1))
        case "not UTF-8":
            document.write_bytes(b"\xff")
    assert read_document(tree, "decisions/indexes.md") is None
