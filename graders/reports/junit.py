"""The report as JUnit XML, in the form that CI systems read (Jenkins' junit-10.xsd)."""

import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from graders.reports.model import FailureText, Outcome, Report
from graders.reports.plain import harmless, safe

LABELS = ("What we did", "Expected", "Got", "Why it matters", "Service log", "Read")

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(report: Report) -> str:
    """One `testsuite`: a `testcase` for each check, `classname` the lesson, `name` the check's id."""
    report = safe(report)
    cases = [_case(report, outcome) for outcome in report.checks] + _grade_cases(report)
    totals = {
        "tests": str(len(cases)),
        "failures": _count(cases, "failure"),
        "errors": _count(cases, "error"),
        "time": f"{report.seconds:.3f}",
    }
    skipped = {"skipped": _count(cases, "skipped"), "timestamp": _timestamp(report)}
    root = ET.Element("testsuites", {"name": "octo_lab", **totals})
    suite = ET.SubElement(root, "testsuite", {"name": report.lesson, **totals, **skipped})
    _properties(suite, report)
    suite.extend(cases)
    ET.indent(root)
    xml = ET.tostring(_legal(root), encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{xml}\n'


def _case(report: Report, outcome: Outcome) -> ET.Element:
    case = ET.Element(
        "testcase", {"classname": report.lesson, "name": outcome.id, "time": f"{outcome.seconds:.3f}"}
    )
    if outcome.verdict == "fail":
        text = outcome.failure
        failure = ET.SubElement(case, "failure", {"type": "Failure", "message": outcome.title})
        failure.text = _body(text) if text else outcome.note
    elif outcome.verdict == "skipped":
        ET.SubElement(case, "skipped", {"message": outcome.note})
    elif outcome.verdict == "ungraded":
        error = ET.SubElement(
            case, "error", {"type": "Ungraded", "message": outcome.note or "could not be judged"}
        )
        error.text = f"{outcome.note}\nThis does not count against you."
    return case


def _grade_cases(report: Report) -> list[ET.Element]:
    """What concerns the grade as a whole has no check of its own, but must not leave the suite green."""
    case = ET.Element("testcase", {"classname": report.lesson, "name": "grade", "time": "0.000"})
    if report.trouble:
        error = ET.SubElement(case, "error", {"type": "Ungraded", "message": report.trouble.problem})
        error.text = f"What to do\n{report.trouble.remedy}\n\nDetails\n{report.trouble.details}\n"
        return [case]
    if report.partial:
        ET.SubElement(
            case, "skipped", {"message": "Some checks were left out (--only): not a pass of the lesson."}
        )
        return [case]
    return []


def _body(failure: FailureText) -> str:
    log = "\n".join(failure.log) or "(the service wrote nothing)"
    read = "\n".join(failure.read)
    texts = (failure.did, failure.expected, failure.got, failure.because, log, read)
    return "\n" + "\n\n".join(f"{label}\n{text}" for label, text in zip(LABELS, texts, strict=True)) + "\n"


def _properties(suite: ET.Element, report: Report) -> None:
    known = {
        "seed": str(report.seed),
        "tree_hash": report.tree_hash,
        "score": f"{report.score:.1f}",
        "points": f"{report.points}/{report.points_possible}",
        "verdict": report.verdict,
        "partial": str(report.partial).lower(),
        "isolation": report.isolation,
        "kit_version": report.kit_version,
        **{f"store.{name}": version for name, version in sorted(report.stores.items())},
    }
    properties = ET.SubElement(suite, "properties")
    for name, value in known.items():
        ET.SubElement(properties, "property", {"name": name, "value": value})


def _count(cases: list[ET.Element], kind: str) -> str:
    return str(sum(case.find(kind) is not None for case in cases))


def _timestamp(report: Report) -> str:
    """UTC without a zone and without fractions, the only form that every schema of the format allows."""
    try:
        started = datetime.fromisoformat(report.started_at)
    except ValueError:
        return "1970-01-01T00:00:00"
    utc = started.astimezone(UTC) if started.tzinfo else started
    return utc.strftime("%Y-%m-%dT%H:%M:%S")


def _legal(root: ET.Element) -> ET.Element:
    """Without the characters that XML 1.0 forbids even when escaped, and without commands to CI machines."""
    for element in root.iter():
        element.text = harmless(_ILLEGAL.sub("", element.text)) if element.text else element.text
        for name, value in element.attrib.items():
            element.set(name, _ILLEGAL.sub("", value))
    return root
