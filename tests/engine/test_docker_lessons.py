"""The real lessons on Docker: the broken service fails what it fails beside Docker, and the reference passes."""

import pytest

from compose.engine import Client
from graders.engine.prove import prove
from graders.reports.matrix import faults
from labs.catalog import all_labs
from tests.engines import docker as docker


@pytest.mark.parametrize("fix", ["broken", "reference"])
@pytest.mark.parametrize("lesson", [lab.id for lab in all_labs() if not lab.draft])
def test_a_lesson_has_the_verdicts_that_it_promises(docker: Client, lesson: str, fix: str) -> None:
    [lab] = [each for each in all_labs() if each.id == lesson]
    [row] = [
        row for row in prove(lab, repeat=1, jobs=1, only=fix, on="docker").matrix.rows if row.name == fix
    ]
    assert faults(row, tuple(check.id for check in lab.checks)) == []
