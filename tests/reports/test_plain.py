"""Text made safe: what is written out, what stays, and that doing it twice changes nothing."""

import pytest

from graders.reports.plain import log_lines, one_line, part, safe, visible

from . import samples


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x9b31m \x85 \x7f", r"\x9b31m \x85 \x7f"),
        ("a\rb\x08\x00", r"a\rb\x08\x00"),
        ("\u202e\u2069\u200f\u061c", r"\u202e\u2069\u200f\u061c"),
        ("\u2028\u2029\ufeff\u200b", r"\u2028\u2029\ufeff\u200b"),
        ("\ud800\uffff\U0001fffe\U000e0041", r"\ud800\uffff\U0001fffe\U000e0041"),
        ("line\n\ttab", "line\n\ttab"),
        ("Müller 金額 \N{OCTOPUS} न\u200dम \xa0", "Müller 金額 \N{OCTOPUS} न\u200dम \xa0"),
    ],
)
def test_characters_that_act_are_written_out(given: str, shown: str) -> None:
    assert visible(given) == shown
    assert visible(shown) == shown


def test_a_part_that_grows_when_written_out_is_still_capped() -> None:
    assert len(part("\x1b" * 4_000)) == 4_000
    assert part("\x1b" * 4_000).endswith("[cut: 4000 characters]")


def test_a_log_line_stays_one_line() -> None:
    assert log_lines(["one\ntwo"]) == (r"one\ntwo",)


def test_a_title_stays_one_line() -> None:
    assert one_line(" a\n  b\t c ") == "a b c"


@pytest.mark.parametrize("limit", [4_000, 1_000, 250, 80])
def test_twice_is_the_same_as_once(limit: int) -> None:
    once = safe(samples.HOSTILE, limit)
    assert safe(once, limit) == once
