"""The gate: a sound lab is proved, and each way of being unsound is told."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from graders.engine import scaffold, transcripts
from graders.engine.lint import lint
from graders.engine.prove import prove
from graders.reports.matrix import faults, holds, never_killed
from labs.catalog import Lab, find

Write = Callable[[Path, str], Path]


def replaced(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_a_sound_lab_is_proved(lab: Lab) -> None:
    assert lint(lab) == []
    matrix = prove(lab, repeat=2, jobs=2).matrix
    assert [row.name for row in matrix.rows[:2]] == ["broken", "reference"]
    assert holds(matrix), [faults(row, matrix.checks) for row in matrix.rows]


def test_a_focused_gate_shows_a_wrong_fix_what_it_must_fail_and_no_more(lab: Lab) -> None:
    matrix = prove(lab, repeat=1, jobs=2, focused=True).matrix
    rows = {row.name: row for row in matrix.rows}
    assert rows["adds-two"].verdicts == {"answers": "pass", "doubles": "fail", "doubles-large": "skipped"}
    assert set(rows["other-words"].verdicts.values()) == {"pass"}
    assert holds(matrix), [faults(row, matrix.checks) for row in matrix.rows]


def test_a_cover_has_as_few_wrong_fixes_as_fail_every_check(lab: Lab) -> None:
    fixes = lab.grader / "fixes.toml"
    more = '[[wrong]]\nname = "fails-two"\nwhy = "Tired."\nfails = ["answers", "doubles"]\n\n'
    more += '[[right]]\nname = "two-words"\nwhy = "Clearer."\n'
    fixes.write_text(fixes.read_text() + more)
    shutil.copy(*(lab.grader / "wrong_fixes" / f"{name}.patch" for name in ("empty-answer", "fails-two")))
    shutil.copy(lab.grader / "wrong_fixes" / "adds-two.patch", lab.grader / "right_fixes" / "two-words.patch")
    rows = {row.name: row for row in prove(lab, repeat=1, jobs=2, focused=True, cover=True).matrix.rows}
    assert {*rows} == {"broken", "reference", "fails-two", "wraps-at-64-bits", "other-words"}


def test_a_fix_that_depends_on_the_checks_before_is_in_a_cover_only_where_no_other_will_do(lab: Lab) -> None:
    replaced(lab.grader / "fixes.toml", 'name = "adds-two"', 'name = "adds-two"\nwhole = true')
    assert holds(prove(lab, repeat=1, jobs=2, focused=True, cover=True).matrix)
    fixes = lab.grader / "fixes.toml"
    more = '[[wrong]]\nname = "adds-two-again"\nwhy = "Tired."\nfails = ["doubles"]\n\n'
    fixes.write_text(fixes.read_text() + more)
    shutil.copy(*(lab.grader / "wrong_fixes" / f"{name}.patch" for name in ("adds-two", "adds-two-again")))
    names = {row.name for row in prove(lab, repeat=1, jobs=2, only="adds", cover=True).matrix.rows}
    assert names == {"adds-two-again"}


def test_a_focused_gate_is_told_of_survivors(lab: Lab) -> None:
    replaced(lab.grader / "test_doubles.py", "rng.randrange(2**70, 2**80)", "2")
    matrix = prove(lab, repeat=1, jobs=1, only="wraps", focused=True).matrix
    assert faults(matrix.rows[0], matrix.checks) == ["doubles-large did not fail, as it must"]


def test_a_check_that_no_wrong_fix_kills_is_no_check(lab: Lab) -> None:
    fixes = lab.grader / "fixes.toml"
    fixes.write_text(
        fixes.read_text().replace(
            '[[wrong]]\nname = "wraps-at-64-bits"', '[[right]]\nname = "wraps-at-64-bits"'
        )
    )
    (lab.grader / "right_fixes" / "wraps-at-64-bits.patch").write_text(
        (lab.grader / "wrong_fixes" / "wraps-at-64-bits.patch").read_text()
    )
    matrix = prove(lab, repeat=1, jobs=2).matrix
    assert never_killed(matrix) == ["doubles-large"]
    assert not holds(matrix)


def test_a_mutant_that_survives_is_told(lab: Lab) -> None:
    replaced(lab.grader / "test_doubles.py", "rng.randrange(2**70, 2**80)", "2")
    matrix = prove(lab, repeat=1, jobs=2, only="wraps").matrix
    assert faults(matrix.rows[0], matrix.checks) == ["doubles-large did not fail, as it must"]


def test_a_right_fix_that_is_rejected_is_told(lab: Lab) -> None:
    replaced(lab.grader / "right_fixes" / "other-words" / "web.py", "number << 1", "number << 2")
    matrix = prove(lab, repeat=1, jobs=1, only="other-words").matrix
    assert not holds(matrix)
    assert "doubles said: " in str(faults(matrix.rows[0], matrix.checks))


def test_a_verdict_that_changes_is_told(lab: Lab, write: Write, tmp_path: Path) -> None:
    marker = tmp_path / "been-here"
    flaky = f"""    import pathlib
    marker = pathlib.Path({str(marker)!r})
    expect(not marker.exists(), expected="a", got="b", because="c")
    marker.touch()
    number"""
    replaced(
        lab.grader / "test_doubles.py",
        "    number = rng.randrange(3, 1000)\n",
        flaky + " = rng.randrange(3, 1000)\n",
    )
    matrix = prove(lab, repeat=2, jobs=1, only="reference").matrix
    assert "doubles changed from pass to fail" in matrix.rows[0].trouble
    assert matrix.rows[0].trouble.endswith(": b"), "what came back, which nobody will see again"


def test_a_fix_that_needs_a_missing_program_is_told(lab: Lab) -> None:
    replaced(lab.grader / "fixes.toml", 'name = "other-words"', 'name = "other-words"\nneeds = ["cobol-85"]')
    matrix = prove(lab, repeat=1, jobs=1, only="other-words").matrix
    assert "cobol-85" in matrix.rows[0].trouble
    assert not holds(matrix)


def without_hints_in_toml(lab: Lab) -> None:
    replaced(lab.grader / "test_doubles.py", '@check("answers")', '@check("replies")')


def without_docstring(lab: Lab) -> None:
    replaced(lab.grader / "test_doubles.py", '    """A number comes back doubled."""\n', "")


def without_lesson(lab: Lab) -> None:
    (lab.folder / "README.md").unlink()


def with_stray_fix(lab: Lab) -> None:
    shutil.copy(lab.grader / "wrong_fixes" / "adds-two.patch", lab.grader / "wrong_fixes" / "stray.patch")


def with_a_reference_that_went_on(lab: Lab) -> None:
    replaced(lab.reference / "web.py", "return number * 2", "return 2 * number")


def with_stray_file(lab: Lab) -> None:
    (lab.service / "webb.py").touch()


def with_bare_assert(lab: Lab) -> None:
    replaced(
        lab.grader / "test_doubles.py",
        "    number = rng.randrange(3, 1000)",
        "    assert rng\n    number = 3",
    )


def with_need_of_a_later_check(lab: Lab) -> None:
    replaced(lab.grader / "test_doubles.py", 'needs=["answers"]', 'needs=["doubles-large"]')


def with_an_unknown_promise(lab: Lab) -> None:
    replaced(lab.grader / "fixes.toml", 'fails = ["answers"]', 'fails = ["replies"]')


def without_reason(lab: Lab) -> None:
    replaced(lab.grader / "fixes.toml", "Tried with the number two only.", " ")


def with_a_new_name_for_a_check(lab: Lab) -> None:
    replaced(lab.grader / "published_checks.txt", "answers", "replies")


def without_fixes(lab: Lab) -> None:
    (lab.grader / "fixes.toml").unlink()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (without_hints_in_toml, "'replies'"),
        (without_docstring, "no docstring"),
        (without_lesson, "README.md is missing"),
        (with_stray_fix, "stray.patch is not listed"),
        (with_a_reference_that_went_on, "adds-two.patch does not apply"),
        (with_stray_file, "webb.py has no twin"),
        (with_bare_assert, "assert without a message"),
        (with_need_of_a_later_check, "no earlier check"),
        (with_an_unknown_promise, "no such check"),
        (without_reason, "does not say why"),
        (with_a_new_name_for_a_check, "ids never change"),
        (without_fixes, "fixes.toml"),
    ],
)
def test_what_is_missing_is_told(spoil: Callable[[Lab], None], told: str, lab: Lab) -> None:
    spoil(lab)
    faults_found = lint(lab)
    assert any(told in fault for fault in faults_found), faults_found


def test_a_new_lab_lists_what_is_left_to_write(kit: Path) -> None:
    made = scaffold.new("lesson-14", kit)
    assert all(path.is_file() for path in made)
    left = lint(find("14", kit))
    for subject in ("the scene", "where to look", "the broken files", "first-promise is not in published"):
        assert any(subject in fault for fault in left), f"{subject} is not in {left}"


@pytest.mark.parametrize("asked", ["pagination", "lesson-1234", "lesson-01"])
def test_a_lab_that_cannot_be_made_is_refused(asked: str, kit: Path) -> None:
    with pytest.raises(scaffold.CannotMake):
        scaffold.new(asked, kit)


def test_what_failures_say_is_kept_and_compared(lab: Lab) -> None:
    reports = prove(lab, repeat=1, jobs=1, only="adds-two").reports
    assert transcripts.differences(lab, reports) == []
    transcripts.keep(lab, reports)
    kept = (lab.grader / "transcripts" / "adds-two.txt").read_text()
    assert "wrong sums cost money" in kept
    assert transcripts.differences(lab, reports) == []
    replaced(lab.grader / "transcripts" / "adds-two.txt", "cost money", "cost nothing")
    assert "cost nothing" in transcripts.differences(lab, reports)[0]


def test_numbers_of_a_transcript_may_follow_the_seed() -> None:
    one = "1 234 buffers, not 120; cursor=abc== at 2026-01-02T03:04:05Z"
    other = "99 buffers, not 7; cursor=xyz at 2027-11-12T13:14:15.123Z"
    assert transcripts.normal(one) == transcripts.normal(other)
    assert transcripts.normal(one) != transcripts.normal(one.replace("buffers", "rows"))


def test_ids_of_a_transcript_may_be_drawn() -> None:
    one = '"request_id": "be9ef55ff1d941eab6a4211ee326f0c7", not order-kd9d91; span ff231f21e6b0dffa'
    other = '"request_id": "81fe610838544cff81cd01c9bd082c12", not order-kd9d91; span 00f067aa0ba902b7'
    assert transcripts.normal(one) == transcripts.normal(other)
    assert transcripts.normal(one) != transcripts.normal(one.replace("order", "mine"))
