"""The report as one HTML page that stands alone: no script, nothing fetched, every text escaped by Jinja."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from graders.check import Verdict
from graders.reports.model import Report
from graders.reports.plain import fitted, harmless
from graders.reports.words import (
    NOT_YOUR_LOSS,
    PARTIAL,
    VERDICT_WORDS,
    by_hand,
    replay,
    six_parts,
    verdict_words,
)

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = Path(__file__).with_name("web_page.html.jinja")
STYLE = Path(__file__).with_name("web_page.css")
SIGNS: dict[Verdict, str] = {"pass": "✓", "fail": "✗", "skipped": "\N{EN DASH}", "ungraded": "?"}


def to_html(report: Report) -> str:
    """The page, at most 1 MB. Its Content-Security-Policy allows its own style and nothing else."""
    return fitted(report, _page)


def _page(report: Report) -> str:
    failures = [outcome for outcome in report.checks if outcome.verdict == "fail"]
    style = STYLE.read_text("utf-8")
    page = _template().render(
        report=report,
        failures=failures,
        judged=any(outcome.verdict != "ungraded" for outcome in report.checks),
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        verdict=verdict_words(report),
        words=VERDICT_WORDS,
        signs=SIGNS,
        six_parts=six_parts,
        replay=replay(report),
        by_hand=by_hand,
        partial=PARTIAL,
        not_your_loss=NOT_YOUR_LOSS,
    )
    return harmless(page)


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # here: most grades write no page

    environment = Environment(
        loader=FileSystemLoader(TEMPLATE.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(TEMPLATE.name)
