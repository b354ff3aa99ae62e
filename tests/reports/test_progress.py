"""The live display: what it leaves behind, in a terminal and without one."""

from collections.abc import Callable

import pytest
from syrupy.assertion import SnapshotAssertion

from graders.reports.progress import Progress

from . import samples
from .conftest import Shown

SHOW_CURSOR = "\x1b[?25h"


def play(progress: Progress) -> None:
    progress.note("Building the data set, \x1b[31monce")
    for phase in samples.FAILED.phases:
        progress.phase_started(phase.name)
        if phase.name == "checks":
            for outcome in samples.FAILED.checks:
                progress.check_started(outcome.id, outcome.title)
                progress.check_ended(outcome)
        progress.phase_ended(phase)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_without_a_terminal_a_line_for_what_ended(
    encoding: str, shown: Callable[..., Shown], snapshot: SnapshotAssertion
) -> None:
    page = shown(encoding=encoding)
    with Progress(page.console, checks=6) as progress:
        play(progress)
    assert page.text == snapshot


@pytest.mark.parametrize(
    "environ",
    [{"TERM": "dumb"}, {"FORCE_COLOR": "1", "TERM": "xterm-256color"}],
    ids=["dumb", "forced colour"],
)
def test_nothing_is_redrawn_where_it_cannot_be(environ: dict[str, str], shown: Callable[..., Shown]) -> None:
    page = shown(terminal=environ["TERM"] == "dumb", environ=environ)
    with Progress(page.console) as progress:
        play(progress)
    assert "\x1b[?25" not in page.text
    assert "\r" not in page.text


def test_quiet_means_nothing_at_all(shown: Callable[..., Shown]) -> None:
    page = shown()
    with Progress(page.console, quiet=True) as progress:
        play(progress)
    assert page.text == ""


def test_a_terminal_sees_phases_checks_and_counts(shown: Callable[..., Shown]) -> None:
    page = shown(terminal=True)
    with Progress(page.console, checks=6) as progress:
        play(progress)
        page.console.print(progress._display())
    assert "6 of 6 checks" in page.text
    assert "stores 0.4 s" in page.text
    assert page.text.endswith(f"\x1b[2K{SHOW_CURSOR}") or SHOW_CURSOR in page.text


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_the_cursor_comes_back_whatever_happens(
    error: type[BaseException], shown: Callable[..., Shown]
) -> None:
    page = shown(terminal=True)
    progress = Progress(page.console)
    with pytest.raises(error), progress:
        raise error
    assert page.text.rindex(SHOW_CURSOR) > page.text.rindex("\x1b[?25l")
