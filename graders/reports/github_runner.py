"""Talks to GitHub's runner: keeps it from obeying what a grade prints, then annotates and summarises the grade."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from graders.reports.github_commands import annotations, resume_commands, stop_commands
from graders.reports.github_markdown import to_github_summary
from graders.reports.model import Report

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"


def is_here() -> bool:
    """Whether a runner of GitHub Actions started us."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


@contextmanager
def obeying_nothing(say: Callable[[str], None]) -> Iterator[None]:
    """The runner obeys no line that is printed in this block; `say` prints a line.

    After an error it never obeys again in this step: the error's own text may hold what a submission wrote.
    """
    token = secrets.token_hex(16)
    say(stop_commands(token))
    yield
    say(resume_commands(token))


def tell(report: Report, say: Callable[[str], None]) -> None:
    """Annotate the run, and append to the step's summary if there is one."""
    for line in annotations(report):
        say(line)
    if file := os.environ.get(SUMMARY_VARIABLE):
        with Path(file).open("a", encoding="utf-8") as summary:
            summary.write(to_github_summary(report))
