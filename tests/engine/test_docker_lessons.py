"""Real lessons on Docker: the reference passes, and what is broken fails what it fails beside Docker.

Two of them: the one that counts in Postgres, and the one with every store, upstreams, faults and workers that are killed.
`dev check --on docker` shows it of all, and of every fix.
"""

import pytest

from compose.engine import Client
from graders.engine.prove import prove
from graders.reports.matrix import faults
from labs.catalog import all_labs
from tests.engines import docker as docker


@pytest.mark.parametrize(
    ("lesson", "fix"), [("lesson-05", "broken"), ("lesson-05", "reference"), ("lesson-07", "reference")]
)
def test_a_lesson_has_the_verdicts_that_it_promises(docker: Client, lesson: str, fix: str) -> None:
    [lab] = [each for each in all_labs() if each.id == lesson]
    [row] = [
        row for row in prove(lab, repeat=1, jobs=1, only=fix, on="docker").matrix.rows if row.name == fix
    ]
    assert faults(row, tuple(check.id for check in lab.checks)) == []
