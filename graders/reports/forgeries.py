"""What became of each forgery of one lesson: data and judgement only. Nothing here is rendered or run."""

import re
from dataclasses import dataclass, field
from typing import Literal

from graders.reports.model import Report

# What acts on a screen instead of showing: controls, and marks that turn the direction of the text.
ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

Ending = Literal["pass", "fail", "ungraded", "refused", "not run"]


@dataclass(frozen=True)
class Got:
    """What a submission got. `text`: all that was said of it. `blocked`: what the kit kept it from."""

    ending: Ending
    score: float = 0.0
    passed: frozenset[str] = field(default_factory=frozenset)
    text: str = ""
    blocked: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Demand:
    """What a forgery must get: see the fields of the same names in the corpus."""

    expected: Literal["zero", "at-most", "honest"]
    endings: tuple[str, ...]
    says: str = ""
    never: str = ""


@dataclass(frozen=True)
class ForgeryRow:
    """One forgery: what it got, what its files are worth without the trick, and in what it won."""

    name: str
    tries: str
    got: Got
    honest: float
    said: str = ""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Forgeries:
    """All forgeries of one lesson. `isolation`: the rung they were held by. `canaries`: those that were hurt."""

    lesson: str
    isolation: str
    rows: tuple[ForgeryRow, ...]
    canaries: tuple[str, ...] = ()


def got_of(report: Report, text: str) -> Got:
    """What a report gives; `text` is the report as its readers see it."""
    verdict = report.verdict if report.verdict in ("pass", "fail") else "ungraded"
    passed = frozenset(outcome.id for outcome in report.checks if outcome.verdict == "pass")
    return Got(verdict, report.score, passed, text, report.blocked, report.seconds)


def faults(demand: Demand, got: Got, honest: Got) -> tuple[str, ...]:
    """In what a forgery won, or was not told of; empty when the grader held."""
    won = sorted(got.passed - honest.passed)
    lost = sorted(honest.passed - got.passed)
    holes = {
        f"it ended as {got.ending}, not as {' or '.join(demand.endings)}": got.ending not in demand.endings,
        f"it passed {', '.join(won)}, which its files do not without the trick": bool(won),
        f"it passed {', '.join(sorted(got.passed))}, and should pass nothing": demand.expected == "zero"
        and bool(got.passed),
        f"it lost {', '.join(lost)}, which its files pass": demand.expected == "honest" and bool(lost),
        f"nothing in the report says /{demand.says}/": not re.search(demand.says, got.text),
        "the report holds characters that act on a screen": bool(ACTS.search(got.text)),
        f"the report says /{demand.never}/": bool(demand.never) and bool(re.search(demand.never, got.text)),
    }
    return tuple(sentence for sentence, true in holes.items() if true)


def said(demand: Demand, got: Got) -> str:
    """What was noticed, in few words: what the kit blocked, else the words that had to be said."""
    if got.blocked:
        return "; ".join(got.blocked)
    found = re.search(demand.says, got.text) if demand.says else None
    return found[0] if found else ""


def held(found: Forgeries) -> bool:
    """True when every forgery ran, none won, and no canary was hurt."""
    return not found.canaries and not any(row.faults or row.got.ending == "not run" for row in found.rows)
