"""The kill matrix of one lesson: what each fix must fail and what it failed. Data and judgement only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from graders.check import Verdict

Kind = Literal["broken", "reference", "wrong", "right"]
Cell = Literal["killed", "passed", "survived", "unexpected", "skipped", "nothing"]


@dataclass(frozen=True)
class Row:
    """One fix. `expected`: the checks that it must fail. `trouble`: why its row is not true.

    said: by check, what came back where it failed, or why there is no verdict; on one line.
    """

    name: str
    kind: Kind
    expected: frozenset[str]
    verdicts: dict[str, Verdict]
    seconds: float
    trouble: str = ""
    said: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Matrix:
    """All fixes of a lesson against all its checks; `checks` in lesson order."""

    lesson: str
    checks: tuple[str, ...]
    rows: tuple[Row, ...]


def cell(row: Row, check: str) -> Cell:
    """What `check` did with the fix of `row`.

    killed: failed, as promised. survived: promised to fail, but did not.
    unexpected: failed without a promise. nothing: no verdict at all.
    """
    verdict = row.verdicts.get(check, "ungraded")
    if verdict == "ungraded":
        return "nothing"
    if check in row.expected:
        return "killed" if verdict == "fail" else "survived"
    found: dict[Verdict, Cell] = {"pass": "passed", "fail": "unexpected", "skipped": "skipped"}
    return found[verdict]


def faults(row: Row, checks: tuple[str, ...]) -> list[str]:
    """What is not as promised in `row`, a sentence each; empty when all is."""
    if row.trouble:
        return [row.trouble]
    found: dict[Cell, list[str]] = {}
    for check in checks:
        found.setdefault(cell(row, check), []).append(check)
    holes: dict[str, list[str]] = {
        "did not fail, as it must": found.get("survived", []),
        "failed, and should pass": found.get("unexpected", []),
        "gave no verdict": found.get("nothing", []),
        "is promised to fail, but the lesson has no such check": sorted(row.expected - {*checks}),
        # A check is skipped for one that failed; where none failed as promised, a skip is a hole.
        "was skipped": [] if "killed" in found else found.get("skipped", []),
    }
    unforeseen = (*found.get("unexpected", []), *found.get("nothing", []))
    said = [f"{check} said: {row.said[check]}" for check in unforeseen if row.said.get(check)]
    return [f"{', '.join(names)} {words}" for words, names in holes.items() if names] + said


def kills(matrix: Matrix, check: str) -> int:
    """How many wrong fixes `check` caught as promised."""
    return sum(row.kind == "wrong" and cell(row, check) == "killed" for row in matrix.rows)


def never_killed(matrix: Matrix) -> list[str]:
    """The checks that no wrong fix proves to be checks at all."""
    return [check for check in matrix.checks if not kills(matrix, check)]


def holds(matrix: Matrix) -> bool:
    """True when every row is as promised and every check is killed by at least one wrong fix."""
    return not never_killed(matrix) and not any(faults(row, matrix.checks) for row in matrix.rows)
