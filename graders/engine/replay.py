"""A report that somebody brings: its signature checked, and its grade given again with the same seed."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from graders.engine.archives import unpacked
from graders.engine.channel import Listener
from graders.engine.grade import Request, grade
from graders.engine.not_graded import refused
from graders.engine.submission import SubmissionRefused
from graders.reports import json_report
from graders.reports.json_report import InvalidReport
from graders.reports.model import Report
from graders.reports.plain import WHOLE_BYTES
from graders.reports.signature import SIGNATURE, is_valid, key_id


class CannotVerify(Exception):
    """The report cannot be read, or has no signature; the text says what to do."""


@dataclass(frozen=True)
class Brought:
    """A report as it was brought: its JSON data, which a signature is over, and what they mean."""

    data: dict[str, Any]
    report: Report


def read(file: Path) -> Brought:
    """Raises CannotVerify."""
    try:
        with file.open(encoding="utf-8") as opened:
            data = json_report.parse(opened.read(WHOLE_BYTES + 1))
        return Brought(data, json_report.from_json(data))
    except (OSError, UnicodeDecodeError, InvalidReport) as error:
        raise CannotVerify(f"{file} cannot be verified: {error}") from error


def fault(brought: Brought, key: bytes) -> str:
    """Why the signature is not valid with this key, in a sentence; empty when it is. Raises CannotVerify without one."""
    signature = brought.data.get(SIGNATURE)
    if signature is None:
        raise CannotVerify("The report is not signed: `octo_lab grade --sign-key` signs one.")
    if signature["key_id"] != key_id(key):
        return f"It was signed with another key ({signature['key_id']}; yours is {key_id(key)})."
    if not is_valid(brought.data, key):
        return "The report was changed after it was signed; what was changed cannot be known."
    return ""


def replayed(report: Report, request: Request, listener: Listener) -> Report:
    """The grade given again as `request` asks: a folder or an archive, the report's seed. Raises CannotVerify."""
    if report.partial:
        raise CannotVerify("The report is of single checks (--only): there is no whole grade to repeat.")
    try:
        with unpacked(request.submission, request.lab) as submission:
            return grade(replace(request, submission=submission), listener)
    except SubmissionRefused as refusal:
        return refused(request, refusal)
