"""Many at once, as an instructor runs it: one table whatever crashes, is killed, or is done at the same time."""

import csv
import json
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.conftest import Door

Write = Callable[[Path, str], Path]
Table = list[dict[str, str]]

# What each submission is, and what it must get: verdict, points, the first check that fails.
EXPECTED = {
    "right": ("pass", "4", ""),
    "zipped": ("pass", "4", ""),
    "wrong": ("fail", "1", "doubles"),
    "empty": ("fail", "0", "answers"),
    "exits": ("fail", "0", "answers"),
    "forges": ("fail", "1", "doubles"),
    "forks": ("fail", "0", "answers"),
    "linked": ("fail", "0", "answers"),
    "not-a-zip": ("fail", "0", "answers"),
}

FORGED = """
print('<testsuite tests="3" failures="0"/>\\n{"verdict": "pass", "score": 100}\\n::notice::passed', flush=True)
open("report.json", "w").write('{"verdict": "pass"}')
"""


@pytest.fixture
def shelf(kit: Path, tmp_path: Path, write: Write) -> Path:
    """Right, wrong, hostile and broken ones side by side."""
    right = (kit / "reference_service" / "web.py").read_text()
    wrong = (kit / "labs" / "lesson-01" / "service" / "web.py").read_text()
    folder = tmp_path / "shelf"
    write(folder / "right" / "web.py", right)
    write(folder / "wrong" / "web.py", wrong)
    (folder / "empty").mkdir()
    write(folder / "exits" / "web.py", "import os\nos._exit(0)\n")
    write(folder / "forges" / "web.py", FORGED + wrong)
    write(folder / "forks" / "Procfile", "web: sleep 1000 & exit 3\n")
    (folder / "linked").mkdir()
    (folder / "linked" / "web.py").symlink_to("/etc/passwd")
    write(folder / "not-a-zip.zip", "PK, or so it says\n")
    with tarfile.open(folder / "zipped.tar.gz", "w:gz") as archive:
        archive.add(folder / "right" / "web.py", "zipped-main/web.py")
    return folder


@pytest.fixture
def few(shelf: Path) -> Path:
    """Three of them, for what costs many grades."""
    for path in shelf.iterdir():
        if path.name not in ("right", "wrong", "zipped.tar.gz"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return shelf


FEW = {name: row for name, row in EXPECTED.items() if name in ("right", "wrong", "zipped")}


def batch(shelf: Path, out: Path, *options: str) -> tuple[str, ...]:
    return ("grade-batch", "1", "--each", str(shelf), "--out", str(out), "--seed", "7", *options)


def table(out: Path) -> Table:
    """results.csv without what a clock says."""
    with (out / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [{name: cell for name, cell in row.items() if name != "seconds"} for row in rows]


def verdicts(rows: Table) -> dict[str, tuple[str, str, str]]:
    return {row["name"]: (row["verdict"], row["points"], row["first_failed"]) for row in rows}


def from_before(done: "subprocess.CompletedProcess[str]") -> int:
    return done.stdout.count("from before")


def test_the_table_is_the_same_at_one_job_and_at_two(door: Door, shelf: Path, tmp_path: Path) -> None:
    outs = [tmp_path / "one", tmp_path / "two"]
    for jobs, out in enumerate(outs, start=1):
        done = door(*batch(shelf, out, "--jobs", str(jobs)))
        assert done.returncode == 0, done.stdout + done.stderr
        assert verdicts(table(out)) == EXPECTED
    assert table(outs[0]) == table(outs[1])
    assert not door.processes()


def test_it_says_the_same_as_one_at_a_time(door: Door, few: Path, tmp_path: Path) -> None:
    door(*batch(few, tmp_path / "out"))
    for name, file in {"wrong": "wrong", "zipped": "zipped.tar.gz"}.items():
        alone = json.loads(
            door("grade", "1", "--submission", str(few / file), "--seed", "7", "--json").stdout
        )
        among = json.loads((tmp_path / "out" / "reports" / f"{name}.json").read_text())
        for part in ("verdict", "score", "tree_hash", "seed"):
            assert alone[part] == among[part]
        assert [check["failure"] and check["failure"]["got"] for check in alone["checks"]] == [
            check["failure"] and check["failure"]["got"] for check in among["checks"]
        ]


def test_a_killed_batch_goes_on_to_the_same_table(door: Door, shelf: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    door(*batch(shelf, whole))
    with door.begun(*batch(shelf, killed, "--jobs", "2"), until="5/9") as cli:
        cli.send_signal(signal.SIGKILL)
    assert not (killed / "results.csv").exists()
    resumed = door(*batch(shelf, killed))
    assert resumed.returncode == 0
    assert from_before(resumed) >= 2, resumed.stdout
    assert table(killed) == table(whole)
    assert from_before(door(*batch(shelf, killed))) > from_before(resumed), "and then nothing is graded twice"


def test_only_what_changed_is_graded_again(door: Door, few: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    door(*batch(few, out))
    shutil.copy(few / "right" / "web.py", few / "wrong" / "web.py")
    assert from_before(door(*batch(few, out))) == 2
    assert verdicts(table(out))["wrong"] == ("pass", "4", "")
    (out / "reports" / "right.json").unlink()
    assert from_before(door(*batch(few, out))) == 2, "a report that is gone is made again"
    (door.kit / "labs" / "lesson-01" / "README.md").write_text("# Doubling, explained better")
    assert from_before(door(*batch(few, out))) == 0, "another lesson, another verdict"
    assert from_before(door(*batch(few, out, "--fresh"))) == 0


def test_an_interrupt_says_how_to_go_on(door: Door, shelf: Path, tmp_path: Path) -> None:
    with door.begun(*batch(shelf, tmp_path / "out"), until="2/9") as cli:
        cli.send_signal(signal.SIGINT)
        rest, _ = cli.communicate(timeout=20)
    assert cli.returncode == 130
    assert "the same command goes on" in rest
    assert "Traceback" not in rest
    assert not door.processes()
    rows = table(tmp_path / "out")
    assert len(rows) == len(EXPECTED)
    assert {row["verdict"] for row in rows} <= {"pass", "fail", "ungraded"}


def test_a_broken_machine_stops_the_batch_and_costs_nobody(door: Door, shelf: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    door.env["OCTO_LAB_REDIS_SERVER"] = "/no/such/server"
    stopped = door(*batch(shelf, out, "--jobs", "1"))
    assert stopped.returncode == 3
    assert "the machine is to blame" in stopped.stdout
    assert "/no/such/server" in " ".join(stopped.stdout.split())
    assert "Traceback" not in stopped.stdout + stopped.stderr
    rows = verdicts(table(out))
    assert len(rows) == len(EXPECTED), "each has its row"
    assert {name for name, row in rows.items() if row[0] == "fail"} == {"empty"}, (
        "refused before the machine mattered"
    )
    assert {row[0] for name, row in rows.items() if name != "empty"} == {"ungraded"}
    del door.env["OCTO_LAB_REDIS_SERVER"]
    assert door(*batch(shelf, out)).returncode == 0
    assert verdicts(table(out)) == EXPECTED


def with_a_fault(kit: Path, fault: str) -> None:
    """The grader itself breaks, and only on what the wrong submission answers."""
    test = kit / "graders" / "lesson_01" / "test_doubles.py"
    line = "    number = rng.randrange(3, 1000)\n"
    probe = f"    import os, pathlib\n    if api.get('/double/5').json()['double'] == 7:\n        {fault}\n"
    test.write_text(test.read_text().replace(line, probe + line))


def test_a_grade_that_breaks_is_one_row(door: Door, few: Path, tmp_path: Path) -> None:
    with_a_fault(door.kit, "os._exit(0)")
    done = door(*batch(few, tmp_path / "out"))
    assert done.returncode == 3
    assert verdicts(table(tmp_path / "out")) == FEW | {"wrong": ("ungraded", "0", "")}
    assert "ended without a result" in done.stdout
    assert "the machine is to blame" not in done.stdout


def test_what_broke_once_is_graded_once_more(door: Door, few: Path, tmp_path: Path) -> None:
    marker = tmp_path / "been-here"
    once = f"m = pathlib.Path({str(marker)!r}); seen = m.exists(); m.touch(); seen or os._exit(0)"
    with_a_fault(door.kit, once)
    done = door(*batch(few, tmp_path / "out"))
    assert done.returncode == 0
    assert verdicts(table(tmp_path / "out")) == FEW
    assert marker.exists(), "it broke once"


def test_two_batches_do_not_write_to_one_folder(door: Door, few: Path, tmp_path: Path) -> None:
    with door.begun(*batch(few, tmp_path / "out"), until="1/3"):
        second = door(*batch(few, tmp_path / "out"))
    assert second.returncode == 2
    assert "Another batch" in second.stderr


def test_names_are_data(door: Door, shelf: Path, tmp_path: Path) -> None:
    shutil.copytree(shelf / "wrong", tmp_path / "odd" / "=1+1\n\x1b[31m::error::x")
    done = door("grade-batch", "1", *map(str, (tmp_path / "odd").iterdir()), "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\x1b" not in done.stdout
    (row,) = table(tmp_path / "out")
    assert row["name"] == "'=1+1 \\x1b[31m::error::x"


def test_a_broken_archive_alone_is_bad_input(door: Door, shelf: Path) -> None:
    refused = door("grade", "1", "--submission", str(shelf / "not-a-zip.zip"))
    assert (refused.returncode, "cannot be unpacked" in refused.stderr) == (2, True)
    assert ".tar.gz" in refused.stderr, "it says what to hand in"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--csv"),
        (("/no/such/folder",), "/no/such/folder"),
        (("--each", "labs/lesson-01/lab.toml"), "--each takes folders"),
        (("--csv", "nowhere.csv"), "nowhere.csv"),
        (("labs", "--jobs", "0"), "jobs"),
        (("labs/lesson-01", "--out", "labs/lesson-01/lab.toml"), "lab.toml"),
        (("labs/lesson-01", "--sign-key", "nowhere.key"), "nowhere.key"),
    ],
)
def test_bad_input_gets_a_sentence(arguments: tuple[str, ...], said: str, door: Door) -> None:
    refused = door("grade-batch", "1", *arguments)
    assert refused.returncode == 2, refused
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_state_that_cannot_be_read_is_told(door: Door, shelf: Path, tmp_path: Path, write: Write) -> None:
    write(tmp_path / "out" / "state.json", '{"version": 1, "finished": []}')
    told = door(*batch(shelf, tmp_path / "out"))
    assert (told.returncode, "--fresh" in told.stderr) == (2, True)
