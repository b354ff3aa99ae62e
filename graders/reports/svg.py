"""A screen as an SVG picture: `python -m graders.reports.svg < report.json`. Same report, same bytes."""

import sys
from collections.abc import Sequence
from io import StringIO

from rich.console import Console
from rich.text import Text

from graders.reports.json_report import loads
from graders.reports.model import Report
from graders.reports.page import page_for
from graders.reports.terminal import report_lines

# rich's own form, without its web font: a picture must not load anything.
_FORM = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; \
font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def report_svg(report: Report, *, columns: int = 80) -> str:
    """The screen of `report` as an SVG, as a terminal of `columns` columns shows it."""
    lines = report_lines(report, page_for(_canvas(columns)))
    return lines_svg(lines, title=f"octo_lab grade {report.lesson}", columns=columns)


def lines_svg(lines: Sequence[Text], *, title: str, columns: int = 80) -> str:
    """Finished lines as an SVG. Longer lines continue on the next row, as in a terminal."""
    canvas = _canvas(columns)
    for line in lines:
        for start in range(0, max(1, len(line)), columns):
            canvas.print(line[start : start + columns] if line else line, no_wrap=True)
    return canvas.export_svg(title=title, code_format=_FORM, unique_id="octo-lab")


def _canvas(columns: int) -> Console:
    return Console(
        file=StringIO(),
        width=columns,
        record=True,
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
        _environ={},
    )


if __name__ == "__main__":
    sys.stdout.write(report_svg(loads(sys.stdin.read())))
