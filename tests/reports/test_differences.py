"""Two grades side by side."""

from collections.abc import Callable
from dataclasses import replace

from syrupy.assertion import SnapshotAssertion

from graders.reports.differences import difference_lines, differences, same_result
from graders.reports.page import page_for, show

from . import samples
from .conftest import Shown


def test_times_and_places_are_no_difference() -> None:
    again = replace(samples.FAILED, seconds=99.0, started_at="2030-01-01T00:00:00Z", submission="elsewhere")
    assert differences(samples.FAILED, again) == []


def test_another_kit_explains_and_is_no_other_result() -> None:
    found = differences(samples.FAILED, replace(samples.FAILED, kit_version="9", lesson_version=2))
    assert [one.what for one in found] == ["kit version", "lesson version"]
    assert same_result(found)


def test_other_files_are_another_result_whatever_the_verdict() -> None:
    assert not same_result(differences(samples.PASSED, replace(samples.PASSED, tree_hash="0" * 64)))


def test_what_differs_is_a_table(shown: Callable[..., Shown], snapshot: SnapshotAssertion) -> None:
    forged = replace(samples.PASSED, kit_version="0.0.1")
    found = differences(forged, samples.FAILED)
    assert not same_result(found)
    page = shown(80)
    show(difference_lines(found, page_for(page.console)), page.console)
    show(difference_lines([], page_for(page.console)), page.console)
    assert page.text == snapshot
    assert max(len(line) for line in page.text.splitlines()) <= 80
