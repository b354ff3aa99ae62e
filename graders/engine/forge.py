"""Runs the forgery corpus against one lab, and judges each trick by what the same files get without it."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from compose import stores
from graders.engine.canaries import Canaries, left_running, watched
from graders.engine.forgeries import CORPUS, Base, Forgery, forge
from graders.engine.grade import Halt, Request, grade
from graders.engine.pool import for_each
from graders.engine.prove import SEED
from graders.engine.submission import Submission, SubmissionRefused, from_folder, reference
from graders.reports.forgeries import Demand, Forgeries, ForgeryRow, Got, faults, got_of, said
from graders.reports.json_report import dumps
from labs.catalog import Lab

# Isolations that are as good as the one that a forgery needs.
REAL = ("bubblewrap", "docker")
SUFFICE = {"user": ("user", *REAL), "bubblewrap": REAL}


@dataclass(frozen=True)
class Ground:
    """Where the tricks are tried. `honest`: what each base gets without one. `isolation`: what holds them."""

    lab: Lab
    root: Path
    folder: Path
    canaries: Canaries
    honest: Mapping[Base, Got]
    isolation: str
    on: stores.Ground

    @property
    def rung(self) -> str:
        return self.isolation.partition(":")[0]

    def suffices(self, trick: Forgery) -> bool:
        return not trick.needs or self.rung in SUFFICE.get(trick.needs, (trick.needs,))


def run(
    lab: Lab,
    tricks: Sequence[Forgery],
    *,
    jobs: int,
    root: Path = CORPUS,
    done: Callable[[ForgeryRow], None] = lambda row: None,
    on: stores.Ground = "embedded",
) -> Forgeries:
    """Grade every trick that the lab has the stores for, `jobs` at once. Rows come in the order of `tricks`."""
    wanted = [trick for trick in tricks if {*trick.stores} <= lab.stores]
    rows: dict[str, ForgeryRow] = {}
    with watched() as canaries, tempfile.TemporaryDirectory(prefix="octo_lab-forgeries-") as name:
        honest, isolation = _honest(lab, {trick.base for trick in wanted}, jobs, on)
        ground = Ground(lab, root, Path(name), canaries, honest, isolation, on)
        halt = Halt()

        def told(trick: Forgery, row: ForgeryRow) -> None:
            rows[trick.name] = row
            done(row)

        for_each(wanted, lambda trick: _tried(ground, trick, halt), jobs=jobs, done=told, halt=halt)
        harm = (*_unfit(honest), *canaries.hurt())
    return Forgeries(lab.id, isolation, tuple(rows[trick.name] for trick in wanted), harm)


def _honest(lab: Lab, bases: set[Base], jobs: int, on: stores.Ground) -> tuple[dict[Base, Got], str]:
    """What each base gets without a trick, and by which isolation it was held."""
    submissions: dict[Base, Submission] = {"broken": from_folder(lab.service), "reference": reference()}

    halt = Halt()
    found: dict[Base, tuple[Got, str]] = {}

    def graded(base: Base) -> tuple[Got, str]:
        report = grade(Request(lab, submissions[base], seed=SEED, on=on), halt=halt)
        return got_of(report, ""), report.isolation

    for_each(sorted(bases), graded, jobs=jobs, done=found.__setitem__, halt=halt)
    isolations = sorted({isolation for _, isolation in found.values()})
    return {base: got for base, (got, _) in found.items()}, isolations[0] if isolations else "none"


def _unfit(honest: Mapping[Base, Got]) -> Iterator[str]:
    """Why there is nothing to compare with: then no forgery has been held."""
    promised = {"broken": "fail", "reference": "pass"}
    for base, got in honest.items():
        if got.ending != promised[base]:
            yield f"without any trick, the {base} service ended as {got.ending}"


def _tried(ground: Ground, trick: Forgery, halt: Halt) -> ForgeryRow:
    """One trick, graded, unless it would need more to hold it than there is."""
    if not ground.suffices(trick):
        got = Got("not run", text=f"needs {trick.needs}")
        return ForgeryRow(trick.name, trick.tries, got, ground.honest[trick.base].score, got.text)
    folder, token = ground.folder / trick.name, f"forged-{ground.canaries.secret[:8]}-{trick.name}"
    try:
        submission = replace(forge(trick, ground.lab, folder, token, ground.root), name=trick.name)
        got = _graded(ground, trick, submission, halt)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _row(ground, trick, got, left_running(token))


def _graded(ground: Ground, trick: Forgery, submission: Submission, halt: Halt) -> Got:
    lab = replace(ground.lab, budgets=replace(ground.lab.budgets, **trick.budgets))
    # Where there is a real isolation, no trick is ever graded without it.
    request = Request(lab, submission, seed=SEED, untrusted=ground.rung in REAL, on=ground.on)
    try:
        report = grade(request, halt=halt)
    except SubmissionRefused as refusal:
        return Got("refused", text=str(refusal))
    return got_of(report, "\n".join(_texts(json.loads(dumps(report)))))


def _texts(value: Any) -> Iterator[str]:
    """Every text in a report, as its readers get it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _row(ground: Ground, trick: Forgery, got: Got, left: tuple[str, ...]) -> ForgeryRow:
    honest = ground.honest[trick.base]
    demand = Demand(trick.expected, trick.endings, trick.says, trick.never)
    leaked = ("the report gives away a secret",) if ground.canaries.secret in got.text else ()
    wrong = (*faults(demand, got, honest), *leaked, *left)
    return ForgeryRow(trick.name, trick.tries, got, honest.score, said(demand, got), wrong)
