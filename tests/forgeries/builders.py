"""What git cannot hold: each function puts it into the folder of a forgery's submission."""

import os
from pathlib import Path


def link_to_the_graders(folder: Path) -> None:
    """A symbolic link to everything, so that the grader's files appear to be the submission's."""
    (folder / "all").symlink_to("/")


def pipe(folder: Path) -> None:
    """A named pipe where a document is expected: whoever opens it waits for ever."""
    os.mkfifo(folder / "notes.md")
