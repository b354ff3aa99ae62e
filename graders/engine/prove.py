"""A lab proves itself: every fix is graded, and the kill matrix shows whether the checks tell right from wrong."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compose.stores import Ground
from graders.check import Verdict
from graders.engine.grade import Halt, Request, grade
from graders.engine.pool import for_each
from graders.engine.submission import Submission, SubmissionRefused, from_fix, from_folder, reference
from graders.reports.matrix import Kind, Matrix, Row
from graders.reports.model import Outcome, Report
from labs.catalog import Lab, ManifestError

SEED = 20_261_121


@dataclass(frozen=True)
class Fix:
    """One row of the matrix before it is graded. `needs` names programs the fix cannot do without.

    `whole`: what it fails depends on what the checks before have asked, so that it always meets all of them.
    """

    name: str
    kind: Kind
    submission: Submission
    expected: frozenset[str]
    why: str = ""
    needs: tuple[str, ...] = ()
    whole: bool = False


def fixes(lab: Lab) -> list[Fix]:
    """The broken service, the reference, and all fixes of fixes.toml. Raises ManifestError."""
    broken = Fix("broken", "broken", from_folder(lab.service), lab.broken_fails)
    listed = _listed(lab)
    return [broken, Fix("reference", "reference", reference(), frozenset()), *listed]


def _listed(lab: Lab) -> list[Fix]:
    path = lab.grader / "fixes.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        kinds: tuple[Kind, ...] = ("wrong", "right")
        return [_fix(lab, kind, entry) for kind in kinds for entry in data.get(kind, [])]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ManifestError(f"{path}: {error!r}") from error


def _fix(lab: Lab, kind: Kind, entry: dict[str, Any]) -> Fix:
    return Fix(
        name=entry["name"],
        kind=kind,
        submission=from_fix(fix_path(lab, kind, entry["name"])),
        expected=frozenset(entry["fails"] if kind == "wrong" else ()),
        why=entry["why"].strip(),
        needs=tuple(entry.get("needs", ())),
        whole=entry.get("whole", False),
    )


def fix_path(lab: Lab, kind: Kind, name: str) -> Path:
    """Where a fix stands: NAME.patch, or a folder NAME."""
    folder = lab.grader / f"{kind}_fixes"
    patch = folder / f"{name}.patch"
    return patch if patch.exists() else folder / name


@dataclass(frozen=True)
class Proof:
    """The kill matrix, and of each wrong fix the report of its first grade."""

    matrix: Matrix
    reports: dict[str, Report]


def prove(
    lab: Lab,
    *,
    repeat: int,
    jobs: int,
    only: str = "",
    focused: bool = False,
    cover: bool = False,
    done: Callable[[Row], None] = lambda row: None,
    on: Ground = "embedded",
) -> Proof:
    """Grade every fix `repeat` times, `jobs` at once. A verdict that changes between runs is a fault of its row.

    `focused`: a wrong fix meets only the checks that it must fail, and those that they need.
    `cover`: of the wrong fixes only as few as fail every check, of the right ones no patch.
    """
    checks = tuple(spec.id for spec in lab.checks)
    wanted = [fix for fix in fixes(lab) if only in fix.name]
    if cover:
        wanted = _cover(wanted, checks)
    graded: dict[str, list[Report]] = {}
    rows: dict[str, Row] = {}
    halt = Halt()

    def told(fix: Fix, found: tuple[list[Report], str]) -> None:
        graded[fix.name], problem = found
        rows[fix.name] = _row(fix, graded[fix.name], problem)
        done(rows[fix.name])

    for_each(
        wanted, lambda fix: _graded(lab, fix, repeat, focused, halt, on), jobs=jobs, done=told, halt=halt
    )
    matrix = Matrix(lab.id, checks, tuple(rows[fix.name] for fix in wanted))
    return Proof(
        matrix, {fix.name: graded[fix.name][0] for fix in wanted if fix.kind == "wrong" and graded[fix.name]}
    )


def _cover(all_: list[Fix], checks: tuple[str, ...]) -> list[Fix]:
    """As few of the wrong fixes as fail every check: again and again the one that fails most that are left.

    One that always meets all checks is taken for what no other fails. Of the right ones those with files of their own:
    a patch shares most of its code with the reference.
    """
    kept, left = set(), {*checks}
    while useful := [fix for fix in all_ if fix.kind == "wrong" and fix.expected & left]:
        best = max(useful, key=lambda fix: (not fix.whole, len(fix.expected & left)))
        left -= best.expected
        kept.add(best.name)
    return [
        fix
        for fix in all_
        if fix.kind in ("broken", "reference") or fix.name in kept or _is_right_folder(fix)
    ]


def _is_right_folder(fix: Fix) -> bool:
    return fix.kind == "right" and fix.submission.kind == "over-reference"


def _graded(
    lab: Lab, fix: Fix, repeat: int, focused: bool, halt: Halt, on: Ground
) -> tuple[list[Report], str]:
    """The reports of a fix, or why there are none."""
    # On Docker the programs are the images', whatever this machine has.
    missing = [name for name in fix.needs if on == "embedded" and not shutil.which(name)]
    if missing:
        return [], f"not run: this machine has no {', '.join(missing)}"
    met = tuple(sorted(fix.expected)) if focused and fix.kind == "wrong" and not fix.whole else ()
    requests = [Request(lab, fix.submission, seed=SEED + turn, only=met, on=on) for turn in range(repeat)]
    try:
        return [grade(request, halt=halt) for request in requests], ""
    except SubmissionRefused as error:
        return [], str(error)


def _row(fix: Fix, reports: list[Report], problem: str) -> Row:
    if not reports:
        return Row(fix.name, fix.kind, fix.expected, {}, 0.0, problem)
    seconds = sum(report.seconds for report in reports) / len(reports)
    said = {outcome.id: _said(outcome) for outcome in reports[0].checks}
    return Row(fix.name, fix.kind, fix.expected, _verdicts(reports[0]), seconds, _trouble(reports), said)


def _said(outcome: Outcome) -> str:
    return " ".join((outcome.failure.got if outcome.failure else outcome.note).split())


def _verdicts(report: Report) -> dict[str, Verdict]:
    return {outcome.id: outcome.verdict for outcome in report.checks}


def _trouble(reports: list[Report]) -> str:
    for report in reports:
        if report.trouble:
            return f"{report.trouble.problem} {report.trouble.details}".strip()
    first = _verdicts(reports[0])
    for report in reports[1:]:
        for outcome in report.checks:
            before = first[outcome.id]
            if before != outcome.verdict:
                changed = f"{outcome.id} changed from {before} to {outcome.verdict} with seed {report.seed}"
                return f"{changed}: {_said(outcome)}".removesuffix(": ")
    return ""


@contextmanager
def stress(enabled: bool) -> Iterator[None]:
    """Keep every core busy while the body runs. The burners end with us, whatever happens."""
    burn = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: sum(range(100_000))"
    with ExitStack() as stack:
        for _ in range(os.cpu_count() or 1) if enabled else ():
            burner = subprocess.Popen([sys.executable, "-c", burn])
            stack.callback(burner.wait)
            stack.callback(burner.kill)
        yield
