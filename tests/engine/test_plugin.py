"""What a check is given of a submission."""

import os
from pathlib import Path
from uuid import uuid4

import pytest

from graders.check import Failure
from graders.engine.plugin import DOCUMENT_CAP, failure_text, read_document
from graders.engine.processes import LogLine
from labs.catalog import CheckSpec


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


def test_of_lines_that_differ_in_time_and_ids_alone_the_last_is_shown() -> None:
    def asked(number: int, path: str) -> LogLine:
        at = f'"timestamp": "2026-01-01T00:00:{number:02}.5Z", "request_id": "{uuid4()}"'
        return LogLine(number, "web", f'{{{at}, "path": "{path}", "ms": {number}.5}}')

    lines = [
        asked(0, "/a"),
        LogLine(1, "worker", "put off"),
        LogLine(2, "worker", "put off"),
        *(asked(number, "/jobs/7") for number in range(3, 40)),
        asked(40, "/jobs/8"),
    ]
    spec = CheckSpec("a", 1, "c", ("", "", ""), ())
    text = failure_text(Failure(expected="", got="", because=""), spec, lines, "")
    assert list(text.log) == [f"{line.source}: {line.text}" for line in [*lines[:3], *lines[-2:]]]
