"""Lays out a new lesson: every file an author must write, each with a line that says what belongs there."""

import re
from pathlib import Path

from labs.catalog import KIT, canonical

CHECK_ID = "first-promise"


class CannotMake(Exception):
    """The lesson cannot be laid out; the text says why."""


def new(asked: str, kit: Path = KIT) -> list[Path]:
    """Make labs/lesson-NN and graders/lesson_NN; returns the files made, lab.toml first. Raises CannotMake."""
    lesson = canonical(asked)
    if not re.fullmatch(r"lesson-\d{2}", lesson):
        raise CannotMake(
            f"{asked!r} is no lesson number. The curriculum fixes them: lesson-14 is pagination."
        )
    folder, grader = kit / "labs" / lesson, kit / "graders" / lesson.replace("-", "_")
    if folder.exists() or grader.exists():
        raise CannotMake(f"{lesson} exists already: octo_lab dev check {lesson}")
    files = _files(lesson, folder, grader)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for empty in (folder / "service", grader / "wrong_fixes", grader / "right_fixes"):
        empty.mkdir(exist_ok=True)
    return list(files)


def _files(lesson: str, folder: Path, grader: Path) -> dict[Path, str]:
    return {
        folder / "lab.toml": MANIFEST.format(lesson=lesson, check=CHECK_ID),
        folder / "README.md": LESSON.format(lesson=lesson),
        grader / "test_promises.py": TESTS.format(check=CHECK_ID),
        grader / "fixes.toml": FIXES,
        grader / "published_checks.txt": "",
    }


MANIFEST = """\
# What each field means stands in labs/lab.schema.json.
id = "{lesson}"
title = "TO WRITE: the subject in a few words"
summary = "TO WRITE: the scene in one sentence, for `octo_lab list`"
track = "elective"
version = 1
minutes = 60
covers = ["topic:TO WRITE: the curriculum's rows"]
stores = ["postgres"]

[broken]
fails = ["{check}"]

[[criteria]]
id = "criterion-one"
text = "TO WRITE: one sentence that a learner can hold the service to"

[[checks]]
id = "{check}"
points = 10
criterion = "criterion-one"
hints = [
  "TO WRITE: where to look",
  "TO WRITE: what to think of",
  "TO WRITE: how it is done",
]
read = ["TO WRITE: a section of the lesson, a manual page, an RFC"]
"""

LESSON = """\
# {lesson}

## Why it matters

TO WRITE: the scene, at our billing service.

## The mental model

TO WRITE: how it works, with a diagram where one helps.

## The task

TO WRITE: what to change, and how to try it by hand with `octo_lab run {lesson}`.

## Acceptance criteria

TO WRITE: what the grader checks, in words.

## Questions to think about

TO WRITE: three to five.

## What to read

TO WRITE: manual pages, RFCs.
"""

TESTS = '''\
"""What this lesson promises, one check for each promise. Behaviour only: HTTP, SQL, Redis, logs, signals."""

from graders.check import check, expect
from graders.probes.api import Api


@check("{check}")
def test_first_promise(api: Api) -> None:
    """TO WRITE: the promise, as the learner reads it."""
    answer = api.get("/readyz")
    expect(
        answer.status == 200,
        expected="TO WRITE: what was promised",
        got=f"status {{answer.status}}",
        because="TO WRITE: why it matters to people who run such a service",
    )
'''

FIXES = """\
# Fixes that prove the checks. A wrong one is a mistake that a person would make: NAME.patch against reference_service,
# or a folder NAME laid over it, in wrong_fixes/. A right one is another correct design, in right_fixes/.

[[wrong]]
name = "to-write"
why = "TO WRITE: why a person would make this mistake"
fails = ["first-promise"]

[[right]]
name = "to-write"
why = "TO WRITE: which other design this shows to be right"
"""
