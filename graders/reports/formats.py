"""The formats in which a report is written to a file, by name. How each looks stands in its own module."""

import os
from collections.abc import Callable

from graders.reports import classroom50
from graders.reports.github_markdown import to_github_summary
from graders.reports.gradescope import to_gradescope
from graders.reports.json_report import dumps
from graders.reports.junit import to_junit
from graders.reports.model import Report
from graders.reports.web_page import to_html


def _classroom50(report: Report) -> str:
    return classroom50.to_classroom50(report, classroom50.submission(os.environ))


FORMATS: dict[str, Callable[[Report], str]] = {
    "json": dumps,
    "junit": to_junit,
    "html": to_html,
    "github-summary": to_github_summary,
    "gradescope": to_gradescope,
    "classroom50": _classroom50,
}


def lacking(format: str) -> str:
    """What a format needs that is not there, as a sentence; empty when nothing is."""
    missing = classroom50.missing(os.environ) if format == "classroom50" else []
    if not missing:
        return ""
    return f"classroom50 needs {', '.join(missing)} in the environment: Classroom 50's runner sets them."
