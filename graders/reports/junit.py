"""The report as JUnit XML, in the form that CI systems read (Jenkins' junit-10.xsd)."""

import re
from xml.etree import ElementTree as ET

from graders.reports.model import Outcome, Report
from graders.reports.plain import fitted, harmless
from graders.reports.words import NOT_YOUR_LOSS, failure_text, started_utc

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(report: Report) -> str:
    """One `testsuite`: a `testcase` for each check, `classname` the lesson, `name` the check's id. At most 1 MB.

    GitLab, the strictest reader, refuses files above 30 MB.
    """
    return fitted(report, _xml)


def _xml(report: Report) -> str:
    cases = [_case(report, outcome) for outcome in report.checks] + _grade_cases(report)
    totals = {
        "tests": str(len(cases)),
        "failures": _count(cases, "failure"),
        "errors": _count(cases, "error"),
        "time": f"{report.seconds:.3f}",
    }
    skipped = {"skipped": _count(cases, "skipped"), "timestamp": started_utc(report)}
    root = ET.Element("testsuites", {"name": "octo_lab", **totals})
    suite = ET.SubElement(root, "testsuite", {"name": report.lesson, **totals, **skipped})
    _properties(suite, report)
    suite.extend(cases)
    if report.blocked:
        ET.SubElement(suite, "system-out").text = "\n".join(("Blocked", *report.blocked))
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
        failure.text = f"\n{failure_text(text)}\n" if text else outcome.note
    elif outcome.verdict == "skipped":
        ET.SubElement(case, "skipped", {"message": outcome.note})
    elif outcome.verdict == "ungraded":
        error = ET.SubElement(
            case, "error", {"type": "Ungraded", "message": outcome.note or "could not be judged"}
        )
        error.text = f"{outcome.note}\n{NOT_YOUR_LOSS}"
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
        "lesson_version": str(report.lesson_version),
        **{f"store.{name}": version for name, version in sorted(report.stores.items())},
    }
    properties = ET.SubElement(suite, "properties")
    for name, value in known.items():
        ET.SubElement(properties, "property", {"name": name, "value": value})


def _count(cases: list[ET.Element], kind: str) -> str:
    return str(sum(case.find(kind) is not None for case in cases))


def _legal(root: ET.Element) -> ET.Element:
    """Without the characters that XML 1.0 forbids even when escaped, and without commands to CI machines."""
    for element in root.iter():
        element.text = harmless(_ILLEGAL.sub("", element.text)) if element.text else element.text
        for name, value in element.attrib.items():
            element.set(name, _ILLEGAL.sub("", value))
    return root
