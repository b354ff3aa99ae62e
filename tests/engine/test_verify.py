"""Results that travel: signed where they are made, checked and repeated where they are read."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from graders.engine.signing_key import NotSigned, signed_document
from tests.engine.conftest import Door
from tests.reports import samples


@pytest.fixture
def key(door: Door, tmp_path: Path) -> Path:
    file = tmp_path / "signing.key"
    assert door("keygen", str(file)).returncode == 0
    return file


@pytest.fixture
def wrong(door: Door, tmp_path: Path) -> Path:
    return Path(shutil.copytree(door.kit / "labs" / "lesson-01" / "service", tmp_path / "wrong"))


def report_of(door: Door, wrong: Path, file: Path, *options: str) -> Path:
    graded = door("grade", "1", "--submission", str(wrong), f"--report=json={file}", *options)
    assert graded.returncode == 1, graded.stderr
    return file


def forged(report: Path) -> Path:
    data = json.loads(report.read_text())
    data["score"] = 100.0
    report.write_text(json.dumps(data))
    return report


def verdict(door: Door, *arguments: object) -> tuple[int, str]:
    done = door("verify", *map(str, arguments))
    assert "Traceback" not in done.stderr
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def isolated(report: Path) -> bool:
    return not json.loads(report.read_text())["isolation"].startswith("none")


def test_a_key_is_its_owners_alone_and_never_replaced(door: Door, key: Path) -> None:
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_bytes()
    assert len(before) == 65
    again = door("keygen", str(key))
    assert (again.returncode, key.read_bytes()) == (2, before)


def test_a_report_is_signed_where_the_submission_could_not_read_the_key(
    door: Door, key: Path, wrong: Path, tmp_path: Path
) -> None:
    """Whichever way this machine isolates, one half of the promise is held to."""
    plain = report_of(door, wrong, tmp_path / "plain.json")
    file = tmp_path / "signed.json"
    graded = door("grade", "1", "--submission", str(wrong), f"--report=json={file}", "--sign-key", str(key))
    if not isolated(plain):
        assert (graded.returncode, file.exists()) == (3, False)
        assert "could have read the key" in graded.stderr
        return
    assert verdict(door, file, "--sign-key", key) == (0, "Signature: valid.")
    other = tmp_path / "other.key"
    door("keygen", str(other))
    code, said = verdict(door, file, "--sign-key", other)
    assert (code, "another key" in said) == (1, True)
    code, said = verdict(door, forged(file), "--sign-key", key, "--replay", wrong)
    assert (code, "changed after it was signed" in said, "Graded again" in said) == (1, True, False)


def test_where_a_submission_ran_as_the_keys_owner_nothing_is_signed(key: Path) -> None:
    with pytest.raises(NotSigned):
        signed_document(replace(samples.PASSED, isolation="none: runs as the same user as the grader"), key)
    for isolation in ("none: nothing of it ran", "user: runs as user 61184", "bubblewrap: own network"):
        assert '"signature"' in signed_document(replace(samples.PASSED, isolation=isolation), key)


def test_a_batch_signs_each_report(door: Door, key: Path, wrong: Path, tmp_path: Path) -> None:
    plain = report_of(door, wrong, tmp_path / "plain.json")
    out = tmp_path / "out"
    done = door("grade-batch", "1", str(wrong), "--out", str(out), "--sign-key", str(key))
    if not isolated(plain):
        assert (done.returncode, "could have read the key" in done.stderr) == (3, True)
        return
    assert verdict(door, out / "reports" / "wrong.json", "--sign-key", key)[0] == 0
    unsigned = door("grade-batch", "1", str(wrong), "--out", str(out))
    assert "from before" not in unsigned.stdout, "rows stand for the reports beside them"


def test_a_replay_repeats_the_grade(door: Door, wrong: Path, tmp_path: Path) -> None:
    report = report_of(door, wrong, tmp_path / "report.json")
    code, said = verdict(door, report, "--replay", wrong)
    assert code == 0
    assert "not looked at" in said
    assert "the same files, the same verdict, points and checks" in said
    web = wrong / "web.py"
    web.write_text(web.read_text().replace("number + 2", "number * 2"))
    code, said = verdict(door, report, "--replay", wrong)
    assert code == 1
    for part in (
        "tree hash",
        "verdict fail pass",
        "1 of 4 4 of 4",
        "doubles fail pass",
        "doubles-large skipped pass",
    ):
        assert part in said


@pytest.mark.parametrize(
    "forgery", [{"score": 100.0}, {"verdict": "pass"}, {"points": 4}, {"points_possible": 1}]
)
def test_a_replay_tells_a_forged_result(
    forgery: dict[str, object], door: Door, wrong: Path, tmp_path: Path
) -> None:
    report = report_of(door, wrong, tmp_path / "report.json")
    report.write_text(json.dumps(json.loads(report.read_text()) | forgery))
    code, said = verdict(door, report, "--replay", wrong)
    assert (code, "another result" in said) == (1, True)


def test_a_replay_that_cannot_be_graded_is_no_verdict(door: Door, wrong: Path, tmp_path: Path) -> None:
    report = report_of(door, wrong, tmp_path / "report.json")
    door.env["OCTO_LAB_REDIS_SERVER"] = "/no/such/server"
    code, said = verdict(door, report, "--replay", wrong)
    assert (code, "No Valkey" in said) == (3, True)


def test_what_cannot_be_verified_is_told(door: Door, key: Path, wrong: Path, tmp_path: Path) -> None:
    report = report_of(door, wrong, tmp_path / "report.json")
    partial = report_of(door, wrong, tmp_path / "partial.json", "--only", "answers")
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text(report.read_text().replace("lesson-01", "lesson-77"))
    (tmp_path / "short").write_text("x" * 31)
    (tmp_path / "short").chmod(0o600)
    open_key = Path(shutil.copy(key, tmp_path / "open.key"))
    open_key.chmod(0o640)
    for arguments, part in (
        ((report,), "--replay"),
        ((report, "--sign-key", key), "not signed"),
        ((tmp_path / "nowhere.json", "--sign-key", key), "nowhere.json"),
        ((key, "--sign-key", key), "not an octo_lab report"),
        ((report, "--sign-key", tmp_path / "nowhere"), "keygen"),
        ((report, "--sign-key", tmp_path / "short"), "31 bytes"),
        ((report, "--sign-key", open_key), "chmod 600"),
        ((partial, "--replay", wrong), "--only"),
        ((elsewhere, "--replay", wrong), "lesson-77"),
    ):
        code, said = verdict(door, *arguments)
        assert (code, part in said) == (2, True), (arguments, said)


def test_a_key_that_cannot_be_used_is_told_before_the_grade(door: Door, key: Path, wrong: Path) -> None:
    key.chmod(0o644)
    told = door("grade", "1", "--submission", str(wrong), "--json", "--sign-key", str(key))
    assert (told.returncode, told.stdout) == (2, "")
    nothing_to_sign = door("grade", "1", "--submission", str(wrong), "--sign-key", str(key))
    assert "--report json=FILE" in nothing_to_sign.stderr
