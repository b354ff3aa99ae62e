"""Columns on a page: aligned cells, and titles cut to the room that is left for them."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from graders.reports.page import Page


def shortened(text: Text, columns: int, page: Page) -> Text:
    """`text` in at most `columns`, cut after a whole word where one ends late enough."""
    if text.cell_len <= columns:
        return text
    short = text.copy()
    short.truncate(max(0, columns - cell_len(page.marks.more)))
    last_space = short.plain.rfind(" ")
    if last_space > columns * 0.6:
        short = short[:last_space]
    short.rstrip()
    return short.append(page.marks.more)


def grid(
    rows: Sequence[Sequence[Text]],
    page: Page,
    *,
    flexible: int,
    right: frozenset[int] = frozenset(),
    indent: int = 2,
) -> list[Text]:
    """Cells in aligned columns. `flexible` is the column that gives way; `right` ones align to the right."""
    if not rows:
        return []
    widths = [max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)]
    others = sum(widths) - widths[flexible] + 2 * (len(widths) - 1) + indent
    widths[flexible] = max(8, min(widths[flexible], page.width - others))
    return [_row(row, widths, page, flexible, right, indent) for row in rows]


def _row(
    row: Sequence[Text], widths: list[int], page: Page, flexible: int, right: frozenset[int], indent: int
) -> Text:
    line = Text(" " * indent)
    for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
        content = shortened(cell, width, page) if column == flexible else cell
        gap = " " * max(0, width - content.cell_len)
        line.append(gap if column in right else "").append_text(content).append(
            "" if column in right else gap
        )
        line.append("  ")
    line.rstrip()
    return line
