"""The screens, as golden texts and as promises that hold for every one of them."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.cells import cell_len
from syrupy.assertion import SnapshotAssertion

from graders.reports.matrix_screen import render_matrix
from graders.reports.model import Report
from graders.reports.next_steps import NextLesson
from graders.reports.terminal import render, render_failure

from . import samples
from .conftest import Shown

REPORTS = {
    "pass": samples.PASSED,
    "fail": samples.FAILED,
    "several": samples.SEVERAL,
    "ungraded": samples.UNGRADED,
    "partial": samples.PARTIAL,
    "hostile": samples.HOSTILE,
}
NEXT = NextLesson("lesson-06", "Authentication, authorization, trust boundaries")

every_report = pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS.keys())


@every_report
def test_the_screen_at_80_columns(
    report: Report, shown: Callable[..., Shown], snapshot: SnapshotAssertion
) -> None:
    page = shown()
    render(report, page.console, next_lesson=NEXT)
    assert page.text == snapshot


@pytest.mark.parametrize("width", [60, 120])
def test_the_failing_screen_at_other_widths(
    width: int, shown: Callable[..., Shown], snapshot: SnapshotAssertion
) -> None:
    page = shown(width)
    render(samples.FAILED, page.console)
    assert page.text == snapshot


def test_the_screen_in_ascii(shown: Callable[..., Shown], snapshot: SnapshotAssertion) -> None:
    page = shown(encoding="ascii")
    render(samples.HOSTILE, page.console)
    assert page.text == snapshot


def test_verbose_shows_every_failure_and_the_phases(
    shown: Callable[..., Shown], snapshot: SnapshotAssertion
) -> None:
    page = shown()
    render(samples.SEVERAL, page.console, verbose=True)
    assert page.text == snapshot


@every_report
@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("verbose", [False, True])
def test_only_commands_are_longer_than_the_page(
    report: Report, width: int, verbose: bool, shown: Callable[..., Shown]
) -> None:
    page = shown(width)
    render(report, page.console, verbose=verbose, next_lesson=NEXT)
    commands = ("curl ", "octo_lab ")
    lines = [line for line in page.text.splitlines() if not line.strip().startswith(commands)]
    # At 40 columns even an id and its points may be wider than the page.
    assert all(cell_len(line) <= max(width, 46) for line in lines)
    assert not any(line.endswith(" ") for line in page.text.splitlines())


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_command_stays_on_one_line(width: int, shown: Callable[..., Shown]) -> None:
    page = shown(width)
    render(samples.FAILED, page.console)
    failure = samples.FAILED.checks[1].failure
    assert failure
    assert f"    {failure.did}\n" in page.text


@every_report
@pytest.mark.parametrize("environ", [{"TERM": "xterm-256color", "NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_without_colour_nothing_is_lost(
    report: Report, environ: dict[str, str], shown: Callable[..., Shown]
) -> None:
    plain, bare = shown(), shown(terminal=True, environ=environ)
    for page in (plain, bare):
        render(report, page.console)
    written = bare.text
    for style in ("\x1b[0m", "\x1b[1m", "\x1b[2m"):
        written = written.replace(style, "")
    assert written.replace("\r\n", "\n") == plain.text


@pytest.mark.parametrize("verbose", [False, True])
def test_a_submission_cannot_speak_to_the_terminal_or_the_ci_machine(
    verbose: bool, shown: Callable[..., Shown]
) -> None:
    page = shown()
    render(samples.HOSTILE, page.console, verbose=verbose)
    assert not [sign for sign in page.text if sign != "\n" and (ord(sign) < 32 or 0x7F <= ord(sign) < 0xA0)]
    assert not {"\u202e", "\u2066", "\u200b", "\ufeff", "\U000e0041", "\u2028"} & set(page.text)
    assert not [line for line in page.text.splitlines() if line.strip().startswith("::")]
    assert "##[" not in page.text
    assert "##vso[" not in page.text


def test_the_reference_is_not_congratulated(shown: Callable[..., Shown]) -> None:
    page = shown()
    render(replace(samples.PASSED, submission="reference"), page.console, next_lesson=NEXT)
    assert "Congratulations" not in page.text
    assert "The reference passes all 6 checks" in page.text


def test_an_ungraded_check_is_named_when_the_grade_as_a_whole_went_well(shown: Callable[..., Shown]) -> None:
    page = shown()
    unjudged = replace(samples.CHECKS[5], verdict="ungraded", note="Postgres went away; grade again.")
    checks = (*samples.CHECKS[:5], unjudged)
    render(replace(samples.PASSED, verdict="ungraded", checks=checks), page.console)
    assert "This does not count against you." in page.text
    assert "migration-online: Postgres went away; grade again." in page.text


def test_one_failure_alone_is_safe(shown: Callable[..., Shown]) -> None:
    page = shown()
    render_failure(samples.HOSTILE.checks[0], page.console)
    assert "\x1b" not in page.text
    assert not [line for line in page.text.splitlines() if line.strip().startswith("::")]


def test_one_failure_alone_is_shown_in_full(shown: Callable[..., Shown], snapshot: SnapshotAssertion) -> None:
    page = shown()
    render_failure(samples.SEVERAL.checks[4], page.console)
    assert page.text == snapshot


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("name", ["PROVED", "DISPROVED"])
def test_the_kill_matrix(
    name: str, encoding: str, shown: Callable[..., Shown], snapshot: SnapshotAssertion
) -> None:
    page = shown(encoding=encoding)
    render_matrix(getattr(samples, name), page.console)
    assert page.text == snapshot
    assert max(len(line) for line in page.text.splitlines()) <= 80
