"""Two grades of one submission side by side: what differs, and whether that is a difference in the result."""

from dataclasses import dataclass

from rich.text import Text

from graders.reports.grid import grid
from graders.reports.model import Report
from graders.reports.page import Page
from graders.reports.plain import one_line


@dataclass(frozen=True)
class Difference:
    """One fact that is not the same. `explains`: it is no result, but may be why results differ."""

    what: str
    before: str
    now: str
    explains: bool = False


def differences(before: Report, now: Report) -> list[Difference]:
    """Everything in which two reports differ that a third grade should reproduce: no times, no texts."""
    facts = [
        Difference("files (tree hash)", before.tree_hash, now.tree_hash),
        Difference("verdict", before.verdict, now.verdict),
        Difference("score", f"{before.score:g} %", f"{now.score:g} %"),
        Difference("points", _points(before), _points(now)),
        *_checks(before, now),
        Difference("kit version", before.kit_version, now.kit_version, explains=True),
        Difference("lesson version", str(before.lesson_version), str(now.lesson_version), explains=True),
        Difference("isolation", _rung(before), _rung(now), explains=True),
    ]
    return [fact for fact in facts if fact.before != fact.now]


def same_result(found: list[Difference]) -> bool:
    """Whether the same files got the same verdict, points and checks, whatever graded them."""
    return all(difference.explains for difference in found)


def difference_lines(found: list[Difference], page: Page) -> list[Text]:
    """The table of differences as finished lines."""
    if not found:
        return [Text("Graded again: the same files, the same verdict, points and checks.")]
    heading = [Text(word, "dim") for word in ("what differs", "in the report", "now")]
    rows = [
        [Text(page.legible(one_line(text, 80))) for text in (each.what, each.before, each.now)]
        for each in found
    ]
    head = (
        "Graded again: another result."
        if not same_result(found)
        else "Graded again: the same result, but for"
    )
    return [Text(head, "bold"), *grid([heading, *rows], page, flexible=2)]


def _points(report: Report) -> str:
    return f"{report.points} of {report.points_possible}"


def _rung(report: Report) -> str:
    return report.isolation.partition(":")[0]


def _checks(before: Report, now: Report) -> list[Difference]:
    was = {outcome.id: outcome.verdict for outcome in before.checks}
    became = {outcome.id: outcome.verdict for outcome in now.checks}
    return [Difference(id, was.get(id, "not there"), became.get(id, "not there")) for id in {**was, **became}]
