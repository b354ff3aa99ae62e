"""Reports as a person or a CI machine asks octo_lab for them: files, GitHub's runner, a saved report shown again."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from graders.reports.formats import FORMATS
from graders.reports.json_report import dumps
from tests.engine.conftest import Door
from tests.reports import samples
from tests.reports.test_classroom50 import ENVIRON

WRONG = "labs/lesson-01/service"


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[str], str]:
    def save(name: str) -> str:
        file = tmp_path / f"{name}.json"
        file.write_text(dumps(samples.EVERY[name]))
        return str(file)

    return save


def test_every_format_is_written(door: Door, tmp_path: Path) -> None:
    door.env.update(ENVIRON)
    files = {kind: tmp_path / kind for kind in FORMATS}
    graded = door(
        "grade", "1", "--submission", WRONG, *(f"--report={kind}={file}" for kind, file in files.items())
    )
    assert graded.returncode == 1, graded.stderr
    for kind, file in files.items():
        assert "lesson" in file.read_text(), kind


def test_no_grade_leaves_a_gradebook_no_file(door: Door, tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_text('{"score": 100}')
    graded = door("grade", "1", "--submission", WRONG, "--only", "answers", "--report", f"gradescope={file}")
    assert graded.returncode == 1
    assert not file.exists()
    assert "was not written. Only some checks" in graded.stderr


def test_classroom50_asks_for_its_variables_before_it_grades(door: Door, tmp_path: Path) -> None:
    refused = door("grade", "1", "--report", f"classroom50={tmp_path / 'result.json'}")
    assert refused.returncode == 2
    assert "SUBMISSION_TAG" in refused.stderr


# --- GitHub's runner ----------------------------------------------------------------------------------------


def obeyed(output: str) -> list[str]:
    """The commands that the runner would have obeyed: none between stop-commands and the line that ends it."""
    found: list[str] = []
    stopped = ""
    for line in output.splitlines():
        if stopped:
            stopped = "" if line.strip() == f"::{stopped}::" else stopped
        elif match := re.match(r"\s*::stop-commands::(.*)", line):
            stopped = match[1]
        elif line.strip().startswith("::"):
            found.append(line)
    return found


def test_on_github_it_annotates_and_summarises(door: Door, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    door.env.update({"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)})
    graded = door("grade", "1", "--submission", WRONG)
    assert graded.returncode == 1
    assert [line.split("::")[1] for line in obeyed(graded.stdout)] == [
        "error title=lesson-01 Doubling",
        "error title=lesson-01 doubles",
    ]
    assert summary.read_text().startswith("before\n### ")
    token = re.match("::stop-commands::(.*)", graded.stdout)
    assert token
    assert len(token[1]) >= 32, "nobody can guess it"


def test_elsewhere_and_when_told_not_to_it_says_nothing_to_github(door: Door, tmp_path: Path) -> None:
    door.env.update({"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")})
    assert "::" not in door("grade", "1", "--submission", WRONG, "--only", "answers").stdout.split()[0]
    door.env.update({"GITHUB_ACTIONS": "true"})
    assert "stop-commands" not in door("grade", "1", "--submission", WRONG, "--no-github").stdout
    assert not (tmp_path / "summary.md").exists()


def test_on_github_json_is_still_alone_on_standard_output(door: Door) -> None:
    door.env.update({"GITHUB_ACTIONS": "true"})
    graded = door("grade", "1", "--submission", WRONG, "--json")
    assert json.loads(graded.stdout)["verdict"] == "fail"
    assert len(obeyed(graded.stderr)) == 2


# --- a saved report -----------------------------------------------------------------------------------------


def test_a_saved_report_is_shown_as_after_its_grade(door: Door, saved: Callable[[str], str]) -> None:
    shown = door("report", saved("failed"))
    assert shown.returncode == 0, "it was shown; the verdict is in it"
    assert "Mend" not in shown.stdout
    for part in ("hot-read-bounded", "What we did", "66.7 %", "octo_lab hint lesson-05"):
        assert part in shown.stdout


@pytest.mark.parametrize("kind", FORMATS)
def test_a_saved_report_becomes_any_format(
    kind: str, door: Door, saved: Callable[[str], str], tmp_path: Path
) -> None:
    door.env.update(ENVIRON)
    file = tmp_path / "made"
    printed = door("report", saved("several"), "--as", kind)
    written = door("report", saved("several"), "--as", kind, "--output", str(file))
    assert (printed.returncode, written.returncode) == (0, 0)
    assert printed.stdout == file.read_text()
    assert FORMATS["json"](samples.SEVERAL) == printed.stdout or kind != "json"


def test_the_screen_goes_to_no_file(door: Door, saved: Callable[[str], str], tmp_path: Path) -> None:
    refused = door("report", saved("passed"), "--output", str(tmp_path / "made"))
    assert (refused.returncode, "--as FORMAT" in refused.stderr) == (2, True)


def test_standard_input_is_read(door: Door) -> None:
    assert "<!doctype html>" in door("report", "-", "--as", "html", stdin=dumps(samples.PASSED)).stdout


def test_a_report_without_a_grade_is_no_gradebooks(door: Door, saved: Callable[[str], str]) -> None:
    refused = door("report", saved("ungraded"), "--as", "gradescope")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "could not be graded" in refused.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("{}", "'schema_version' is a required property"),
        ("\x00\ufffd", "not JSON"),
        (dumps(samples.PASSED) + " " * 1_000_000, "at most 1000000"),
        (dumps(samples.PASSED).replace('"pass"', '"PASS\\u001b[31m"'), "not one of"),
        (dumps(replace(samples.PASSED)).replace('"score": 100.0', '"score": 1e999'), "1e999 is no number"),
    ],
)
def test_what_is_no_report_is_refused(text: str, said: str, door: Door) -> None:
    refused = door("report", "-", "--as", "html", stdin=text)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert said in refused.stderr.replace("\n", " ")
    assert "Traceback" not in refused.stderr
    assert "\x1b" not in refused.stderr
