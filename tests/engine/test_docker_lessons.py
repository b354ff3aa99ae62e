"""The real lessons on Docker: the reference passes, and what is broken fails what it fails beside Docker.

One broken service shows the latter here. `dev check --on docker` shows it of all, and of every wrong fix.
"""

import pytest

from compose.engine import Client
from graders.engine.prove import prove
from graders.reports.matrix import faults
from labs.catalog import all_labs
from tests.engines import docker as docker


@pytest.mark.parametrize(
    ("lesson", "fix"),
    [("lesson-05", "broken"), *((lab.id, "reference") for lab in all_labs() if not lab.draft)],
)
def test_a_lesson_has_the_verdicts_that_it_promises(docker: Client, lesson: str, fix: str) -> None:
    [lab] = [each for each in all_labs() if each.id == lesson]
    [row] = [
        row for row in prove(lab, repeat=1, jobs=1, only=fix, on="docker").matrix.rows if row.name == fix
    ]
    assert faults(row, tuple(check.id for check in lab.checks)) == []
