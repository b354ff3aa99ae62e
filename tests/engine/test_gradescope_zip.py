"""The zip for Gradescope: what is in it, and that its own script grades as Gradescope would run it."""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from graders.engine import gradescope_zip
from graders.reports.json_report import dumps
from labs.catalog import Lab, find
from tests.engine.conftest import Door
from tests.reports import samples


def names(lab: Lab) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(gradescope_zip.build(lab))).namelist()


def test_the_same_kit_gives_the_same_bytes(lab: Lab) -> None:
    once = gradescope_zip.build(lab)
    for path in lab.kit.rglob("*"):
        os.utime(path)
    (lab.grader / "__pycache__").mkdir(exist_ok=True)
    (lab.grader / "__pycache__" / "test_doubles.cpython-311.pyc").write_bytes(b"other")
    assert gradescope_zip.build(lab) == once


def test_the_scripts_stand_at_the_root_and_can_be_run(lab: Lab) -> None:
    entries = zipfile.ZipFile(io.BytesIO(gradescope_zip.build(lab))).infolist()
    programs = [entry.filename for entry in entries if entry.external_attr >> 16 & 0o111]
    assert programs == ["run_autograder", "setup.sh"]


def test_the_answers_stay_at_home() -> None:
    found = names(find("lesson-05"))
    assert "kit/graders/lesson_05/test_reads.py" in found
    assert "kit/reference_service/Procfile" in found
    for part in ("fixes", "transcripts/", "__pycache__", ".git/", "/work/", "tests/", "/."):
        assert [name for name in found if part in name] == []


def test_an_image_without_another_user_is_refused_by_the_words_of_the_report() -> None:
    pattern = '"isolation": "none'
    assert f"grep -q '{pattern}'" in (gradescope_zip.SCRIPTS / "setup.sh").read_text()
    assert pattern in dumps(replace(samples.PASSED, isolation="none: runs as the same user as the grader"))


@dataclass(frozen=True)
class Autograder:
    """The folders of a Gradescope container, in a place of our own."""

    home: Path
    door: Door

    def run(self, **env: str) -> "subprocess.CompletedProcess[str]":
        given = self.door.environment() | {
            "AUTOGRADER_HOME": str(self.home),
            "OCTO_LAB_PYTHON": sys.executable,
            "GITHUB_ACTIONS": "true",
            "CI": "true",
        }
        del given["OCTO_LAB_KIT"], given["PYTHONPATH"]
        return subprocess.run(
            [self.home / "source" / "run_autograder"],
            cwd=self.home,
            env=given | env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @property
    def results(self) -> Path:
        return self.home / "results" / "results.json"


@pytest.fixture
def autograder(lab: Lab, door: Door, tmp_path: Path) -> Autograder:
    home = tmp_path / "autograder"
    for folder in ("source", "submission", "results"):
        (home / folder).mkdir(parents=True)
    zipfile.ZipFile(io.BytesIO(gradescope_zip.build(lab))).extractall(home / "source")
    (home / "source" / "run_autograder").chmod(0o755)
    return Autograder(home, door)


def test_what_is_right_gets_all_points(autograder: Autograder, lab: Lab) -> None:
    shutil.copy(lab.reference / "web.py", autograder.home / "submission")
    ran = autograder.run()
    assert ran.returncode == 0, ran.stderr
    results = json.loads(autograder.results.read_text())
    assert (results["score"], sum(test["max_score"] for test in results["tests"])) == (4, 4)


def test_a_whole_fork_is_graded_by_its_own_work(autograder: Autograder, lab: Lab) -> None:
    shutil.copytree(lab.service, autograder.home / "submission" / "work" / lab.id)
    ran = autograder.run()
    assert ran.returncode == 0, "a failed grade is a grade"
    results = json.loads(autograder.results.read_text())
    assert [test["status"] for test in results["tests"]] == ["passed", "failed", "failed"]
    assert "::" not in ran.stdout.split()[0], "nothing of GitHub's here"


def test_what_could_not_be_graded_leaves_no_results(autograder: Autograder) -> None:
    autograder.results.write_text('{"score": 100}')
    ran = autograder.run(OCTO_LAB_SECONDS="0.1")
    assert ran.returncode not in (0, 1)
    assert not autograder.results.exists(), "not a zero, and not the score of an earlier run"
    assert "No grade" in ran.stderr
