"""The workflows of .github: linted, pinned, and the scripts that publish a grade run against a gh that only records."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from graders.reports.json_report import dumps
from tests.reports import samples

REPOSITORY = Path(__file__).parents[1]
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
SCRIPTS = REPOSITORY / ".github" / "scripts"
SHELL = [
    *SCRIPTS.glob("*.sh"),
    *(REPOSITORY / "graders" / "engine" / "gradescope").iterdir(),
    REPOSITORY / ".ci" / "run",
]
BIN = Path(sys.executable).parent


def test_actionlint_finds_nothing() -> None:
    path = f"{BIN}:{os.environ['PATH']}"  # where shellcheck is, which looks into the steps
    checked = subprocess.run(
        [BIN / "actionlint", *WORKFLOWS], env={"PATH": path}, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, "")


@pytest.mark.parametrize("script", SHELL, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script: Path) -> None:
    checked = subprocess.run([BIN / "shellcheck", script], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_whole_commit(workflow: Path) -> None:
    used = re.findall(r"(?m)^\s*(?:- )?uses: (.*)", workflow.read_text())
    assert used
    assert [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)] == []


def test_the_first_stage_has_nothing_to_steal() -> None:
    text = (REPOSITORY / ".github" / "workflows" / "grade-submission.yml").read_text()
    assert "permissions:\n  contents: read\n" in text
    assert text.count("persist-credentials: false") == text.count("actions/checkout@")
    for word in ("secrets.", "github.token", "GITHUB_TOKEN", "write", "cache:", "pull_request_target"):
        assert word not in text, word


def test_the_second_stage_fetches_nothing_of_the_pull_request() -> None:
    text = (REPOSITORY / ".github" / "workflows" / "publish-grade.yml").read_text()
    assert "permissions: {}\n" in text
    assert not re.search(r"\b(ref|repository):", text), "a checkout without them takes the default branch"
    for step in re.findall(r"run: (.*)", text):
        assert "${{" not in step, "what strangers name comes through the environment"


# --- the scripts of the second stage ------------------------------------------------------------------------

needs_tools = pytest.mark.skipif(
    not (shutil.which("jq") and shutil.which("unzip")),
    reason="no jq or unzip here (apt-get install jq unzip)",
)

# Answers from the files of a folder, through the real jq as gh does, and notes every status that is set.
GH = """#!/usr/bin/env bash
filter=.
while [ $# -gt 0 ]; do
  case $1 in
    api | --silent | --paginate) ;;
    --method) method=$2; shift ;;
    --jq) filter=$2; shift ;;
    -f) fields+=("$2"); shift ;;
    *) address=$1 ;;
  esac
  shift
done
case $address in
  */statuses/*) printf '%s\\n' "$address" "${fields[@]}" >>"$ANSWERS/statuses" ;;
  */zip) cat "$ANSWERS/reports.zip" ;;
  */artifacts) jq -r "$filter" "$ANSWERS/artifacts" ;;
  */pulls/7/files) jq -r "$filter" "$ANSWERS/files" ;;
  */pulls/7) jq -r "$filter" "$ANSWERS/pull" ;;
  */pulls) jq -r "$filter" "$ANSWERS/pulls" ;;
  *) exit 1 ;;
esac
"""
SHA = "c0ffee" * 6 + "beef"


class GitHub:
    """What GitHub would answer, and what was told to it."""

    def __init__(self, room: Path) -> None:
        self.room = room
        (room / "gh").write_text(GH)
        (room / "gh").chmod(0o755)
        self.answer(pulls=[{"number": 7, "head": {"sha": SHA}}], pull={"changed_files": 1})
        self.answer(artifacts={"artifacts": [{"name": "grade", "id": 9, "size_in_bytes": 2_000}]})

    def answer(self, **answers: object) -> None:
        for name, data in answers.items():
            (self.room / name).write_text(json.dumps(data))

    def left(self, files: dict[str, str]) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
            for name, text in files.items():
                zipped.writestr(name, text)
        (self.room / "reports.zip").write_bytes(archive.getvalue())

    def run(self, script: str) -> "subprocess.CompletedProcess[str]":
        (self.room / "labs" / "lesson-05").mkdir(parents=True, exist_ok=True)
        own = {
            "PATH": f"{self.room}:{os.environ['PATH']}",
            "ANSWERS": str(self.room),
            "OCTO_LAB": str(BIN / "octo_lab"),
            "GITHUB_REPOSITORY": "school/octo_lab",
            "GITHUB_SERVER_URL": "https://example.org",
            "GITHUB_RUN_ID": "2",
            "GITHUB_STEP_SUMMARY": str(self.room / "summary.md"),
            "GRADED_RUN": "1",
            "GRADED_RUN_URL": "https://example.org/1",
            "HEAD_SHA": SHA,
            "HEAD_LABEL": "ada:main",
            "LANG": "C.UTF-8",
        }
        return subprocess.run(
            [SCRIPTS / script],
            cwd=self.room,
            env=own,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def statuses(self) -> str:
        file = self.room / "statuses"
        return file.read_text() if file.exists() else ""

    @property
    def summary(self) -> str:
        file = self.room / "summary.md"
        return file.read_text() if file.exists() else ""


@pytest.fixture
def github(tmp_path: Path) -> GitHub:
    return GitHub(tmp_path)


@needs_tools
def test_a_pull_request_that_changes_only_work_is_published(github: GitHub) -> None:
    github.answer(files=[{"filename": "work/lesson-05/a.py"}, {"filename": "work/lesson-05/b.py"}])
    asked = github.run("changes-only-work.sh")
    assert (asked.returncode, github.statuses) == (0, ""), asked.stderr


@needs_tools
@pytest.mark.parametrize(
    "file",
    [
        {"filename": ".github/workflows/grade-submission.yml"},
        {"filename": "work/../octo_lab.py", "previous_filename": "octo_lab.py"},
        {"filename": "work/x\n", "previous_filename": "graders/check.py"},
        {"filename": "workshop/x"},
    ],
)
def test_one_that_changes_the_grader_is_not(file: dict[str, str], github: GitHub) -> None:
    github.answer(files=[{"filename": "work/lesson-05/a.py"}, file])
    assert github.run("changes-only-work.sh").returncode == 1
    assert f"statuses/{SHA}\nstate=error" in github.statuses


@needs_tools
def test_more_files_than_github_lists_are_not_believed(github: GitHub) -> None:
    github.answer(files=[{"filename": "work/a"}], pull={"changed_files": 3000})
    assert github.run("changes-only-work.sh").returncode == 1
    assert "state=error" in github.statuses


@needs_tools
def test_a_pull_request_that_moved_on_is_left_alone(github: GitHub) -> None:
    github.answer(pulls=[{"number": 7, "head": {"sha": "0" * 40}}])
    assert github.run("changes-only-work.sh").returncode == 1
    assert github.statuses == ""


@needs_tools
@pytest.mark.parametrize(
    ("name", "state", "said"),
    [
        ("passed", "success", "pass: 60 of 60 points"),
        ("several", "failure", "fail: 35 of 60 points"),
        ("ungraded", "error", "ungraded: 0 of 60 points"),
        ("partial", "error", "fail: 10 of 60 points"),
    ],
)
def test_a_grade_becomes_a_status_a_summary_and_a_page(
    name: str, state: str, said: str, github: GitHub
) -> None:
    github.left({"lesson-05.json": dumps(samples.EVERY[name])})
    published = github.run("publish-grades.sh")
    assert published.returncode == 0, published.stderr
    assert f"state={state}\ncontext=octo_lab/lesson-05\ndescription={said}\n" in github.statuses
    assert github.summary.startswith("### ")
    assert (github.room / "pages" / "lesson-05.html").read_text().startswith("<!doctype html>")


def passed_as(**changes: object) -> str:
    return json.dumps({**json.loads(dumps(samples.PASSED)), **changes})


@needs_tools
@pytest.mark.parametrize(
    "forged",
    [
        lambda: "",
        lambda: '{"verdict": "pass", "points": 60, "points_possible": 60}',
        lambda: passed_as(lesson="lesson-06"),
        lambda: passed_as(points="60\nstate=success"),
        lambda: passed_as(owner="me"),
        lambda: dumps(samples.PASSED) + " " * 50_000_000,
    ],
    ids=["empty", "no-report", "another-lesson", "text-for-a-number", "another-field", "bomb"],
)
def test_what_octo_lab_never_wrote_is_no_success(forged: Callable[[], str], github: GitHub) -> None:
    github.left({"lesson-05.json": forged(), "../../lesson-05.json": dumps(samples.PASSED)})
    published = github.run("publish-grades.sh")
    assert published.returncode == 0, published.stderr
    assert "success" not in github.statuses
    assert github.summary == ""
    assert not (github.room / "pages" / "lesson-05.html").exists()


@needs_tools
@pytest.mark.parametrize("artifacts", [[], [{"name": "grade", "id": 9, "size_in_bytes": 10**9}]])
def test_no_reports_are_no_error(artifacts: list[object], github: GitHub) -> None:
    github.answer(artifacts={"artifacts": artifacts})
    assert github.run("publish-grades.sh").returncode == 0
    assert github.statuses == ""
