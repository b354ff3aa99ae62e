"""The report: the one result of a grade, from which every renderer works. Plain frozen data, no behaviour."""

from dataclasses import dataclass

from graders.check import Verdict

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class FailureText:
    """The six parts of a failure, in the order in which a learner reads them."""

    did: str
    expected: str
    got: str
    because: str
    log: tuple[str, ...]
    read: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of one check. `skipped` says why in `note`; `ungraded` says the remedy there."""

    id: str
    title: str
    criterion: str
    points: int
    verdict: Verdict
    seconds: float = 0.0
    failure: FailureText | None = None
    note: str = ""


@dataclass(frozen=True)
class Phase:
    """One budgeted part of a grade. `learner`: the submission spent this time, not the kit."""

    name: str
    seconds: float
    learner: bool
    note: str = ""


@dataclass(frozen=True)
class Trouble:
    """Why a grade could not be given: the kit's or the machine's fault, and what to do about it."""

    problem: str
    remedy: str
    details: str = ""


@dataclass(frozen=True)
class Report:
    """One grade. `score`: points reached of those possible, in percent, one decimal. `partial`: --only.

    `blocked`: what the submission tried, or used too much of, and was kept from; a sentence each.
    """

    lesson: str
    title: str
    verdict: Verdict
    score: float
    points: int
    points_possible: int
    seed: int
    tree_hash: str
    submission: str
    kit_version: str
    started_at: str
    seconds: float
    isolation: str
    stores: dict[str, str]
    phases: tuple[Phase, ...]
    checks: tuple[Outcome, ...]
    partial: bool = False
    trouble: Trouble | None = None
    lesson_version: int = 1
    blocked: tuple[str, ...] = ()
