"""The judgement of the kill matrix: what holds, and what is said where it does not."""

from dataclasses import replace

from graders.check import Verdict
from graders.reports.matrix import Matrix, Row, cell, faults, holds, kills, never_killed

from . import samples

CHECKS = ("one", "two", "three")


def row(kind: str, expected: set[str], **verdicts: Verdict) -> Row:
    given: dict[str, Verdict] = {"one": "pass", "two": "pass", "three": "pass", **verdicts}
    return Row("some-fix", kind, frozenset(expected), given, 1.0)  # type: ignore[arg-type]


def test_a_proved_lesson_holds_and_a_disproved_one_does_not() -> None:
    assert holds(samples.PROVED)
    assert not holds(samples.DISPROVED)


def test_a_skip_is_fine_only_where_something_failed_as_promised() -> None:
    assert faults(row("wrong", {"one"}, one="fail", two="skipped"), CHECKS) == []
    assert faults(row("right", set(), two="skipped"), CHECKS) == ["two was skipped"]


def test_a_promised_failure_that_was_skipped_is_no_kill() -> None:
    found = row("wrong", {"one", "two"}, one="fail", two="skipped")
    assert cell(found, "two") == "survived"
    assert faults(found, CHECKS) == ["two did not fail, as it must"]


def test_a_missing_or_ungraded_verdict_is_never_as_promised() -> None:
    found = replace(row("reference", set(), two="ungraded"), verdicts={"one": "pass", "two": "ungraded"})
    assert faults(found, CHECKS) == ["two, three gave no verdict"]


def test_what_was_not_foreseen_says_what_it_saw() -> None:
    said = {"one": "status 500", "two": "2 mails, 1 charge", "three": "The check did not report."}
    seen = row("wrong", {"one"}, one="fail", two="fail", three="ungraded")
    assert faults(replace(seen, said=said), CHECKS) == [
        "two failed, and should pass",
        "three gave no verdict",
        "two said: 2 mails, 1 charge",
        "three said: The check did not report.",
    ]


def test_trouble_spoils_a_row_even_when_its_verdicts_are_right() -> None:
    assert faults(replace(row("right", set()), trouble="verdict changed in run 3"), CHECKS)


def test_only_a_wrong_fix_proves_a_check() -> None:
    failing = row("broken", {"one"}, one="fail")
    matrix = Matrix("lesson-05", CHECKS, (failing, replace(failing, kind="wrong", expected=frozenset())))
    assert kills(matrix, "one") == 0
    assert never_killed(matrix) == ["one", "two", "three"]
