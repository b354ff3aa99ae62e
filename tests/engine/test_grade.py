"""A whole grade, on real processes: verdicts, deny by default, and whose fault a failure is."""

import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from graders.engine.channel import Job
from graders.engine.grade import Request, _environment, _limited, grade
from graders.engine.submission import from_folder, reference
from graders.reports.model import Report
from labs.catalog import Lab, find

Write = Callable[[Path, str], Path]


def verdicts(report: Report) -> dict[str, str]:
    return {outcome.id: outcome.verdict for outcome in report.checks}


def grade_folder(lab: Lab, folder: Path) -> Report:
    return grade(Request(lab, from_folder(folder)))


def first_failure(report: Report) -> str:
    failure = report.checks[0].failure
    assert failure is not None, f"no failure in {verdicts(report)}, {report.trouble}"
    return failure.got


def test_the_reference_passes(lab: Lab) -> None:
    report = grade(Request(lab, reference()))
    assert (report.verdict, report.score, report.points) == ("pass", 100.0, 4)
    assert [phase.name for phase in report.phases] == [
        "files",
        "install",
        "stores",
        "release",
        "boot",
        "checks",
        "stop",
    ]
    assert [phase.name for phase in report.phases if phase.learner] == ["release", "boot"]
    assert report.stores.keys() == {"cache"}
    assert len(report.tree_hash) == 64


def test_the_broken_service_fails_what_it_must(lab: Lab) -> None:
    report = grade_folder(lab, lab.service)
    assert (report.verdict, report.score) == ("fail", 25.0)
    assert verdicts(report) == {"answers": "pass", "doubles": "fail", "doubles-large": "skipped"}
    failed = report.checks[1].failure
    assert failed is not None
    assert failed.did.startswith("curl ")
    assert failed.read == ("README.md of this lesson",)
    assert any("GET /double/" in line for line in failed.log), (
        "the service's log of that moment belongs to it"
    )


def test_a_cache_named_from_here_is_the_same_for_the_grader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OCTO_LAB_CACHE", "cache")
    assert _environment()["OCTO_LAB_CACHE"] == str(tmp_path / "cache")


@pytest.mark.parametrize(("serve", "ended"), [(False, True), (True, False)])
def test_a_grade_has_a_limit_and_a_service_by_hand_has_none(
    serve: bool, ended: bool, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graders.engine.grade._longest", lambda lab: 0.01)
    job = Job(lab, reference(), 0, tmp_path, serve=serve)
    with subprocess.Popen(["sleep", "100"], text=True) as stuck, _limited(stuck, job):
        time.sleep(0.5)
        assert (stuck.poll() is not None) == ended
        stuck.kill()


def test_a_seed_replays_the_values(lab: Lab) -> None:
    def tried(seed: int) -> str:
        report = grade(Request(lab, from_folder(lab.service), seed=seed))
        failure = report.checks[1].failure
        assert failure is not None
        return failure.did

    assert tried(1) == tried(1) != tried(2)


def test_only_runs_what_is_needed_and_never_passes(lab: Lab) -> None:
    report = grade(Request(lab, reference(), only=("doubles",)))
    assert verdicts(report) == {"answers": "pass", "doubles": "pass", "doubles-large": "skipped"}
    assert report.partial
    assert report.verdict == "fail"


def test_grades_at_once_do_not_meet(lab: Lab) -> None:
    wanted = [reference(), from_folder(lab.service)] * 3
    with ThreadPoolExecutor(6) as pool:
        reports = list(pool.map(lambda one: grade(Request(lab, one)), wanted))
    assert [report.verdict for report in reports] == ["pass", "fail"] * 3


BABBLE = """import os, socket
with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))) as door:
    while True:
        door.accept()[0].sendall(b"SSH-2.0\\r\\n")
"""


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("Procfile", "web: python web.py\nweb: python other.py", "names `web` a second time"),
        ("Procfile", "release: false\nweb: python web.py", "exited with code 1"),
        ("Procfile", "release: kill -9 $$\nweb: python web.py", "exited with code 137"),
        ("Procfile", "release: sleep 1000\nweb: python web.py", "still running after 2 s"),
        ("Procfile", "web: echo tight in the chest; exit 3", "tight in the chest"),
        ("Procfile", "web: no-such-program", "ended with code 127"),
        ("Procfile", "web: sleep 1000", "not ready after 2 s"),
        ("Procfile", "worker: python web.py", "no `web` process"),
        ("Procfile", "nonsense", "line 1"),
        ("Procfile", "web: python web.py\nworker: echo no jobs today; exit 4", "no jobs today"),
        ("package.json", '{"dependencies": {"x": "git+file:///tmp/x"}}', "package-lock.json"),
        ("Procfile", "web: python web.py\0", "zero byte"),
        ("Procfile", "web: python web.py #" + "x" * 1_000_000, "larger than 64 KiB"),
        ("web.py", BABBLE, "not ready after 2 s: the connection broke"),
        ("requirements.txt", "no-such-package-of-octo-lab==9", "could not be installed"),
        ("requirements.txt", "-r /etc/passwd", "names no release"),
    ],
)
def test_a_service_that_does_not_start_fails_the_first_check(
    file: str, text: str, said: str, lab: Lab, kit: Path, submission: Path, write: Write
) -> None:
    manifest = lab.folder / "lab.toml"
    manifest.write_text(manifest.read_text().replace("= 20", "= 2"))
    write(submission / file, text)
    report = grade_folder(find("1", kit), submission)
    assert verdicts(report) == {"answers": "fail", "doubles": "skipped", "doubles-large": "skipped"}
    assert said in first_failure(report)
    assert report.verdict == "fail"


def test_a_procfile_may_say_what_a_shell_understands(lab: Lab, submission: Path, write: Write) -> None:
    write(submission / "Procfile", "release: true\nweb: mkdir -p log && MODE=live python web.py\n")
    assert grade_folder(lab, submission).verdict == "pass"


def test_a_service_that_dies_under_a_check_fails_it(lab: Lab, submission: Path, write: Write) -> None:
    source = (submission / "web.py").read_text()
    write(submission / "web.py", source.replace("return number * 2", "os._exit(0)"))
    report = grade_folder(lab, submission)
    assert report.verdict == "fail"
    assert verdicts(report)["answers"] == "fail"


FLOOD = "import sys\nfor _ in range({}):\n    sys.stdout.write('x' * 1_000_000)\nprint()\nfor _ in range(100_000): print('y')\n"


def test_much_output_is_read(lab: Lab, submission: Path, write: Write) -> None:
    write(submission / "web.py", FLOOD.format(30) + (submission / "web.py").read_text())
    assert grade_folder(lab, submission).verdict == "pass"


def test_a_flood_of_output_is_stopped(lab: Lab, submission: Path, write: Write) -> None:
    write(submission / "web.py", FLOOD.format(200) + (submission / "web.py").read_text())
    report = grade_folder(lab, submission)
    assert (report.verdict, report.score) == ("fail", 0)
    assert report.blocked == ("`web` wrote more than 64 MiB of log and was stopped.",)


GRADER_FAULTS = {
    "raise ValueError('of mine')": "of mine",
    "raise SystemExit(0)": "SystemExit",
    "import os; os._exit(0)": "ended without a result",
    "import os, signal; os.kill(os.getpid(), signal.SIGKILL)": "ended without a result",
}


@pytest.mark.parametrize("fault", GRADER_FAULTS)
def test_a_fault_of_the_grader_is_ungraded(fault: str, lab: Lab, write: Write) -> None:
    test = (lab.grader / "test_doubles.py").read_text()
    write(lab.grader / "test_doubles.py", test.replace("    number = rng.randrange(3, 1000)", f"    {fault}"))
    report = grade(Request(lab, reference()))
    assert report.verdict == "ungraded"
    assert report.trouble is not None
    assert GRADER_FAULTS[fault] in report.trouble.remedy + report.trouble.problem


def test_a_check_that_is_not_there_is_ungraded(lab: Lab, write: Write) -> None:
    test = (lab.grader / "test_doubles.py").read_text()
    write(lab.grader / "test_doubles.py", test.partition('@check("doubles-large"')[0])
    report = grade(Request(lab, reference()))
    assert verdicts(report)["doubles-large"] == "ungraded"
    assert report.verdict == "ungraded"


def test_a_grader_that_cannot_be_imported_is_ungraded(lab: Lab, write: Write) -> None:
    write(
        lab.grader / "test_doubles.py",
        "import no_such_module\n" + (lab.grader / "test_doubles.py").read_text(),
    )
    report = grade(Request(lab, reference()))
    assert report.verdict == "ungraded"
    assert set(verdicts(report).values()) == {"ungraded"}


def test_a_check_past_its_budget_fails(lab: Lab, kit: Path, write: Write) -> None:
    manifest = lab.folder / "lab.toml"
    manifest.write_text(manifest.read_text().replace("check = 10", "check = 1"))
    test = (lab.grader / "test_doubles.py").read_text()
    hang = "    import threading\n    threading.Event().wait(60)"
    write(lab.grader / "test_doubles.py", test.replace("    number = rng.randrange(3, 1000)", hang))
    report = grade(Request(find("1", kit), reference()))
    failure = report.checks[1].failure
    assert failure is not None
    assert "stopped" in failure.got


def test_past_the_budget_of_all_checks_none_is_begun(lab: Lab, kit: Path, write: Write) -> None:
    manifest = lab.folder / "lab.toml"
    manifest.write_text(manifest.read_text().replace("check = 10", "check = 10\nwhole = 6"))
    test = (lab.grader / "test_doubles.py").read_text()
    slow = '    api.get("/double/2")\n    import threading\n    threading.Event().wait(60)'
    write(
        lab.grader / "test_doubles.py",
        test.replace('    api.get("/double/2")', slow).replace(', needs=["answers"]', ""),
    )
    report = grade(Request(find("1", kit), reference()))
    assert report.verdict == "fail"
    first, second, _ = (outcome.failure for outcome in report.checks)
    assert first is not None
    assert "It was stopped" in first.got
    assert second is not None
    assert "used up the time" in second.got


def test_a_store_that_dies_is_ungraded(lab: Lab, write: Write) -> None:
    test = (lab.grader / "test_doubles.py").read_text()
    kill = """
    import os, psutil
    keeper = psutil.Process(os.getppid())
    for process in keeper.children(recursive=True):
        if "valkey" in process.name():
            process.kill()
            process.wait()
    expect(False, expected="a", got="b", because="c")"""
    write(lab.grader / "test_doubles.py", test.replace("    number = rng.randrange(3, 1000)", kill))
    report = grade(Request(lab, reference()))
    assert report.verdict == "ungraded"
    assert report.trouble is not None
    assert "cache" in report.trouble.problem


@pytest.mark.parametrize(
    "trap", ["conftest.py", "pytest.ini", "sitecustomize.py", "graders/check.py", "pytest.py"]
)
def test_pytest_never_sees_a_file_of_the_submission(
    trap: str, lab: Lab, submission: Path, write: Write
) -> None:
    write(submission / "web.py", (lab.service / "web.py").read_text())
    write(
        submission / trap,
        "raise SystemExit(0)\n" if trap.endswith(".py") else "[pytest]\naddopts = --collect-only\n",
    )
    report = grade_folder(lab, submission)
    assert report.score <= 25.0
