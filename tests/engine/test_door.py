"""octo_lab as a person uses it: what it prints, what it leaves, and its exit codes."""

import json
import os
import pty
import re
import select
import subprocess
from pathlib import Path

import pytest

from tests.engine.conftest import Door, bounded


def test_a_first_grade_makes_a_copy_and_fails_clearly(door: Door) -> None:
    graded = door("grade", "1")
    assert graded.returncode == 1
    assert (door.kit / "work" / "lesson-01" / "web.py").is_file()
    for part in (
        "What we did",
        "Expected",
        "Got",
        "Why it matters",
        "Service log",
        "Read",
        "octo_lab hint lesson-01",
    ):
        assert part in graded.stdout
    assert "\x1b" not in graded.stdout, "no control characters in a pipe"
    assert all(len(line) <= 80 for line in graded.stdout.splitlines() if "curl" not in line)


def test_a_mended_copy_passes_and_is_remembered(door: Door) -> None:
    door("start", "lesson-1")
    web = door.kit / "work" / "lesson-01" / "web.py"
    web.write_text(web.read_text().replace("number + 2", "number * 2"))
    assert door("grade", "01").returncode == 0
    assert "passed" in door("list").stdout
    assert "100 %" in door("status").stdout


def test_the_reference_passes_but_is_nobodys_attempt(door: Door) -> None:
    assert door("grade", "1", "--reference").returncode == 0
    assert "No attempts yet" in door("status").stdout
    assert "not started" in door("list").stdout


def test_only_never_counts_as_a_pass(door: Door) -> None:
    door("start", "1")
    web = door.kit / "work" / "lesson-01" / "web.py"
    web.write_text(web.read_text().replace("number + 2", "number * 2"))
    graded = door("grade", "1", "--only", "answers")
    assert graded.returncode == 1
    assert "never counts" in graded.stdout
    assert "No attempts yet" in door("status").stdout


def test_json_is_alone_on_standard_output(door: Door) -> None:
    graded = door("grade", "1", "--json", "--seed", "7")
    report = json.loads(graded.stdout)
    assert (graded.returncode, report["verdict"], report["seed"]) == (1, "fail", 7)


def test_reports_are_written(door: Door, tmp_path: Path) -> None:
    files = {kind: tmp_path / f"report.{kind}" for kind in ("json", "junit")}
    door("grade", "1", *(f"--report={kind}={file}" for kind, file in files.items()))
    assert json.loads(files["json"].read_text())["lesson"] == "lesson-01"
    assert "<testsuite" in files["junit"].read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("grade", "lesson-10"), "lesson-01"),
        (("grade", "lesso-01"), "Did you mean: lesson-01"),
        (("grade", "pagination"), "'pagination'. `octo_lab list`"),
        (("grade",), "LESSON"),
        (("grade", "1", "--submission", "/no/such/folder"), "/no/such/folder"),
        (("grade", "1", "--submission", ".", "--reference"), "exclude each other"),
        (("grade", "1", "--only", "nothing"), "answers, doubles"),
        (("grade", "1", "--seed", "x"), "x"),
        (("grade", "1", "--report", "pdf=x"), "json"),
        (("grade", "1", "--report", "json=/no/such/folder/x"), "/no/such/folder"),
        (("explain", "nothing"), "nothing"),
        (("explain", "1", "nothing"), "lesson-01 has no check 'nothing'"),
        (("explain", "1", "doubles", "more"), "Name one check"),
        (("hint", "1"), "grade first"),
        (("hint", "1", "nothing"), "answers, doubles"),
        (("dev", "new", "pagination"), "pagination"),
        (("frobnicate",), "frobnicate"),
    ],
)
def test_bad_input_gets_a_sentence(arguments: tuple[str, ...], said: str, door: Door) -> None:
    refused = door(*arguments)
    assert refused.returncode == 2, refused
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_report_that_cannot_be_written_costs_no_verdict(door: Door, tmp_path: Path) -> None:
    refused = door("grade", "1", "--reference", f"--report=json={tmp_path}")
    assert (refused.returncode, "is a folder" in refused.stderr) == (2, True), "told before the grade"
    os.mkfifo(tmp_path / "pipe")
    cat = subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE, text=True)
    with cat as reader, bounded(reader):
        door("grade", "1", "--reference", f"--report=json={tmp_path / 'pipe'}")
        assert json.loads(reader.communicate()[0])["verdict"] == "pass", "a pipe is written to, not replaced"
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".half")] == []


@pytest.mark.parametrize("option", ["--reference", "--json"])
def test_a_reader_who_goes_away_is_no_verdict(option: str, door: Door) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        graded = subprocess.run(
            door.command("grade", "1", option),
            env=door.environment(),
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            timeout=90,
            check=False,
        )
    assert graded.returncode == 141
    assert "Traceback" not in graded.stderr
    assert door.processes() == []


def test_what_is_no_check_costs_no_hint(door: Door) -> None:
    for _ in range(2):
        assert door("hint", "1", "\udcff").returncode == 2


def test_a_copy_that_cannot_be_made_leaves_nothing(door: Door) -> None:
    (door.kit / "work").mkdir()
    (door.kit / "work" / "lesson-01").symlink_to("nowhere")
    assert "no folder" in door("grade", "1").stderr
    door("reset", "1", "--yes")
    assert (door.kit / "work" / "lesson-01" / "web.py").is_file()
    assert not [path for path in (door.kit / "work").iterdir() if path.name.startswith(".")]


def test_a_broken_manifest_is_told(door: Door) -> None:
    manifest = door.kit / "labs" / "lesson-01" / "lab.toml"
    manifest.write_text("id = 3")
    for command in (("list",), ("grade", "1"), ("dev", "check")):
        told = door(*command)
        assert told.returncode == 2
        assert "lab.toml" in told.stderr
        assert "Traceback" not in told.stderr


@pytest.mark.parametrize("grader", ["def (", "\0", "from graders.check import check\n"])
def test_a_broken_grader_is_told_and_is_no_verdict(grader: str, door: Door) -> None:
    (door.kit / "graders" / "lesson_01" / "test_doubles.py").write_text(grader)
    for command in (("grade", "1", "--reference"), ("explain", "doubles"), ("hint", "1", "doubles")):
        told = door(*command)
        assert told.returncode in (0, 2, 3), told
        assert "Traceback" not in told.stderr
    assert door("dev", "check", "1").returncode in (1, 2)


@pytest.mark.parametrize(
    "fixes", ["wrong = 3", "[[wrong]]\nname = 'x'\nwhy = 3\nfails = []", "[[wrong]]", "wrong = ["]
)
def test_a_broken_list_of_fixes_is_told(fixes: str, door: Door) -> None:
    (door.kit / "graders" / "lesson_01" / "fixes.toml").write_text(fixes)
    told = door("dev", "check", "1")
    assert (told.returncode, "fixes.toml" in told.stdout, told.stderr) == (1, True, "")


def test_hints_climb_a_ladder(door: Door) -> None:
    door("grade", "1")
    seen = [door("hint", "1").stdout for _ in range(4)]
    assert "Look at double() in web.py." in seen[0]
    assert "Two plus two" not in seen[0]
    assert "Two plus two" in seen[1]
    assert "Multiply by two" in seen[2]
    assert seen[3] == seen[2]


def test_explain_lists_what_all_checks_of_a_lesson_ask(door: Door) -> None:
    told = door("explain", "lesson-01")
    assert told.returncode == 0
    assert "doubles\n  A number comes back doubled\n" in told.stdout
    assert [line for line in told.stdout.splitlines() if not line.startswith(" ")] == [
        "answers",
        "doubles",
        "doubles-large",
    ]


@pytest.mark.parametrize("named", [("doubles",), ("1", "doubles")])
def test_explain_says_what_a_check_asks(door: Door, named: tuple[str, ...]) -> None:
    told = door("explain", *named)
    assert told.returncode == 0
    for part in ("A number comes back doubled", "doubles every number", "2 points", "README.md"):
        assert part in told.stdout


def test_reset_asks_and_keeps_a_backup(door: Door) -> None:
    door("start", "1")
    web = door.kit / "work" / "lesson-01" / "web.py"
    web.write_text("mine")
    assert door("reset", "1", stdin="n\n").returncode == 130
    assert web.read_text() == "mine"
    door("reset", "1", stdin="y\n")
    assert web.read_text() != "mine"
    backups = list((door.kit / "work").glob("lesson-01.backup-*/web.py"))
    assert [backup.read_text() for backup in backups] == ["mine"]


def test_run_serves_and_prints_lines_that_work(door: Door) -> None:
    with door.begun("run", "1", "--reference", until="  web") as run:
        assert run.stdout is not None
        redis = next(line for line in run.stdout if "redis-cli" in line).split()[-1]
        ready = next(line for line in run.stdout if line.startswith("Up."))
        assert "Ctrl-C" in ready
        assert redis.startswith("redis://")
        run.terminate()
        run.communicate(timeout=10)
    assert run.returncode == 130
    assert not door.processes()


def test_watch_grades_again_on_save(door: Door) -> None:
    with door.begun("watch", "1", until="Watching") as watch:
        assert watch.stdout is not None
        web = door.kit / "work" / "lesson-01" / "web.py"
        web.write_text(web.read_text().replace("number + 2", "number * 2"))
        verdict = next(line for line in watch.stdout if re.match(r"(passed|not passed)", line))
        assert verdict.startswith("passed")


def test_doctor_tells_what_is_there(door: Door) -> None:
    told = door("doctor")
    assert told.returncode == 0, told.stdout
    for subject in ("python", "postgres", "valkey", "disk", "cache"):
        assert f"ok   {subject}" in told.stdout
    assert door("doctor", "--clean").returncode == 0


def test_doctor_tells_what_is_missing(door: Door) -> None:
    door.env["OCTO_LAB_REDIS_SERVER"] = "/no/such/server"
    told = door("doctor")
    assert told.returncode == 3
    assert "FAIL valkey" in told.stdout
    graded = door("grade", "1", "--reference")
    assert graded.returncode == 3
    assert "/no/such/server" in graded.stdout
    assert "does not count against you" in graded.stdout


def test_a_record_that_cannot_be_kept_costs_no_verdict(door: Door) -> None:
    door.records.mkdir()
    (door.records / "attempts.sqlite3").write_text("no database at all " * 100)
    graded = door("grade", "1", "--reference")
    assert graded.returncode == 0
    assert "not recorded" in graded.stderr
    assert "lesson-01" in door("list").stdout


def test_every_command_has_help_with_an_example(door: Door) -> None:
    names = re.findall(r"^  ([a-z-]+) ", door("--help").stdout.partition("Commands:")[2], re.M)
    assert len(names) >= 10
    for name in names:
        if name != "dev":
            assert "Example:" in door(name, "--help").stdout, name


def test_completion_knows_the_lessons(door: Door) -> None:
    door.env.update(
        {"_OCTO_LAB_COMPLETE": "bash_complete", "COMP_WORDS": "octo_lab grade less", "COMP_CWORD": "2"}
    )
    assert "lesson-01" in door().stdout


def test_in_a_terminal_the_display_is_live_and_leaves_a_clean_screen(door: Door) -> None:
    screen = in_terminal(door, "grade", "1", "--reference")
    assert "\x1b[?25l" in screen, "the cursor is hidden while the display is live"
    assert screen.rindex("\x1b[?25h") > screen.rindex("\x1b[?25l"), "and shown again"
    assert "passed" in screen


def test_no_color_is_respected_in_a_terminal(door: Door) -> None:
    door.env["NO_COLOR"] = "1"
    assert not re.search(r"\x1b\[[0-9;]*3[1-7]m", in_terminal(door, "grade", "1"))


def in_terminal(door: Door, *arguments: str) -> str:
    """What a terminal of 80 columns gets to see."""
    ours, theirs = pty.openpty()
    env = door.environment() | {"TERM": "xterm-256color"}
    with subprocess.Popen(
        door.command(*arguments),
        env=env,
        cwd=door.kit,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        close_fds=True,
    ) as process:
        os.close(theirs)
        seen = b""
        try:
            while select.select([ours], [], [], 60)[0] and (chunk := os.read(ours, 65_536)):
                seen += chunk
        except OSError:  # Linux reports the end of a pseudo-terminal as an error
            pass
        process.wait(30)
    os.close(ours)
    return seen.decode()


def test_a_draft_is_no_proof(door: Door) -> None:
    """It is listed as one, can be named, and the gate without it proves nothing here."""
    manifest = next((door.kit / "labs").glob("*/lab.toml"))
    manifest.write_text(manifest.read_text().replace("version = 1", "version = 1\ndraft = true", 1))
    assert "draft" in door("list").stdout
    told = door("dev", "check")
    assert told.returncode == 1
    assert "lesson-01: a draft, passed over (name it to prove it)" in told.stdout
    assert "nothing left to write" in door("dev", "check", "1", "--static").stdout
