"""The kill matrix on a screen: checks across under one-letter keys, fixes down, faults in words below."""

from collections.abc import Iterable
from string import ascii_lowercase, ascii_uppercase

from rich.console import Console
from rich.text import Text

from graders.reports.grid import grid, shortened
from graders.reports.matrix import Cell, Matrix, Row, cell, faults, holds, kills, never_killed
from graders.reports.page import UNICODE, Page, hanging, page_for, prose, show

_LETTERS = ascii_lowercase + ascii_uppercase
_UNICODE_CELLS: dict[Cell, str] = {
    "killed": "●",
    "passed": "·",
    "survived": "○",
    "unexpected": "✗",
    "skipped": "\N{EN DASH}",
    "nothing": "?",
}
_ASCII_CELLS: dict[Cell, str] = {
    "killed": "#",
    "passed": ".",
    "survived": "O",
    "unexpected": "X",
    "skipped": "-",
    "nothing": "?",
}
_STYLES: dict[Cell, str] = {
    "killed": "green",
    "passed": "dim",
    "survived": "bold red",
    "unexpected": "bold red",
    "skipped": "yellow",
    "nothing": "bold magenta",
}
_MEANINGS: dict[Cell, str] = {
    "killed": "failed as promised",
    "passed": "passed",
    "survived": "should fail, did not",
    "unexpected": "should pass, failed",
    "skipped": "skipped",
    "nothing": "no verdict",
}
_COUNTED = "wrong fixes that fail it"
_KIND = len("reference")
_OTHER_COLUMNS = 2 + 1 + _KIND + len("   0.0 s")


def render_matrix(matrix: Matrix, console: Console) -> None:
    """Print the kill matrix of one lesson."""
    show(matrix_lines(matrix, page_for(console, widest=200)), console)


def matrix_lines(matrix: Matrix, page: Page) -> list[Text]:
    """The kill matrix as finished lines: legend, rows, kills of each check, faults in words, a final line."""
    matrix = page.legible(matrix)
    blocks = [_legend(matrix, page), _rows(matrix, page), _faults(matrix, page), _final(matrix, page)]
    return [line for block in blocks if block for line in [*block, Text()]][:-1]


def keys(checks: tuple[str, ...]) -> list[str]:
    """A short key for each check: a letter, or a number where the letters run out."""
    if len(checks) <= len(_LETTERS):
        return list(_LETTERS[: len(checks)])
    return [str(number + 1) for number in range(len(checks))]


def _cells(page: Page) -> dict[Cell, str]:
    return _UNICODE_CELLS if page.marks is UNICODE else _ASCII_CELLS


def _legend(matrix: Matrix, page: Page) -> list[Text]:
    named = zip(keys(matrix.checks), matrix.checks, strict=True)
    head = Text(f"{matrix.lesson}: which fix fails which check", "bold")
    checks = _paired([[Text(key, "bold"), Text(check)] for key, check in named], page)
    marks = [[Text(mark, _STYLES[name]), Text(_MEANINGS[name])] for name, mark in _cells(page).items()]
    return [head, *checks, Text(), *_paired(marks, page)]


def _paired(entries: list[list[Text]], page: Page) -> list[Text]:
    half = (len(entries) + 1) // 2
    right = [*entries[half:], [Text(), Text()]]
    return grid([entries[row] + right[row] for row in range(half)], page, flexible=3)


def _rows(matrix: Matrix, page: Page) -> list[Text]:
    short = keys(matrix.checks)
    size = max(len(key) for key in short) + 1
    room = page.width - len(short) * size - _OTHER_COLUMNS
    width = max(12, min(max(len(name) for name in [_COUNTED, *(row.name for row in matrix.rows)]), room))
    head = _named(Text(" "), "", "", width, page) + _spread(((key, "bold") for key in short), size)
    counts = ((str(number), "dim" if number else "bold red") for number in _kills_of_each(matrix))
    last = _named(Text(" "), _COUNTED, "", width, page) + _spread(counts, size)
    return [head, *(_row(row, matrix.checks, width, size, page) for row in matrix.rows), last]


def _kills_of_each(matrix: Matrix) -> list[int]:
    """How many wrong fixes each check caught, in lesson order."""
    return [kills(matrix, check) for check in matrix.checks]


def _row(row: Row, checks: tuple[str, ...], width: int, size: int, page: Page) -> Text:
    found = [cell(row, check) for check in checks]
    cells = _spread(((_cells(page)[one], _STYLES[one]) for one in found), size)
    flag = Text.assemble((_cells(page)["unexpected"], "bold red")) if faults(row, checks) else Text(" ")
    return _named(flag, row.name, row.kind, width, page) + cells + Text(f"{row.seconds:6.1f} s", "dim")


def _spread(cells: Iterable[tuple[str, str]], size: int) -> Text:
    return Text().join(Text(f"{text:>{size}}", style) for text, style in cells)


def _named(flag: Text, name: str, kind: str, width: int, page: Page) -> Text:
    title = shortened(Text(name), width, page)
    kind = "" if kind == name else kind
    return (
        flag + Text(" ") + title + Text(" " * (width - title.cell_len + 1)) + Text(f"{kind:<{_KIND}}", "dim")
    )


def _faults(matrix: Matrix, page: Page) -> list[Text]:
    lines = []
    for row in matrix.rows:
        for fault in faults(row, matrix.checks):
            lines += prose(f"{row.name}: {fault}", page, indent=2)
    unproved = never_killed(matrix)
    if unproved:
        lines += prose(
            f"No wrong fix proves that these check anything: {', '.join(unproved)}", page, indent=2
        )
    return [Text("Not as promised", "bold"), *lines] if lines else []


def _final(matrix: Matrix, page: Page) -> list[Text]:
    size = f"{len(matrix.checks)} checks, {len(matrix.rows)} fixes"
    if holds(matrix):
        return hanging(page.mark("pass"), f"{size}: every verdict as promised, every check proved", page)
    wrong = sum(bool(faults(row, matrix.checks)) for row in matrix.rows)
    unproved = len(never_killed(matrix))
    said = f"{size}: not as promised in {wrong} fixes, {unproved} checks unproved"
    return hanging(page.mark("fail"), said, page)
