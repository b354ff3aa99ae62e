"""Runs the forgery corpus against one lab, and judges each trick by what the same files get without it."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from graders.engine.canaries import Canaries, left_running, watched
from graders.engine.forgeries import Base, Forgery, forge
from graders.engine.grade import Halt, Request, grade
from graders.engine.pool import as_they_end
from graders.engine.prove import SEED
from graders.engine.submission import Submission, SubmissionRefused, from_folder, reference
from graders.reports.forgeries import Demand, Forgeries, ForgeryRow, Got, faults, got_of, said
from graders.reports.json_report import dumps
from labs.catalog import Lab

# Isolations that are as good as the one that a forgery needs.
REAL = ("bubblewrap", "docker")
SUFFICE = {"user": ("user", *REAL), "bubblewrap": REAL}


def run(
    lab: Lab,
    tricks: Sequence[Forgery],
    *,
    jobs: int,
    done: Callable[[ForgeryRow], None] = lambda row: None,
) -> Forgeries:
    """Grade every trick that the lab has the stores for, `jobs` at once. Rows come in the order of `tricks`."""
    wanted = [trick for trick in tricks if {*trick.stores} <= lab.stores]
    rows: dict[str, ForgeryRow] = {}
    with watched() as canaries, tempfile.TemporaryDirectory(prefix="octo_lab-forgeries-") as name:
        honest, isolation = _honest(lab, {trick.base for trick in wanted}, jobs)

        rung = isolation.partition(":")[0]

        def attempt(trick: Forgery, halt: Halt) -> ForgeryRow:
            if rung not in SUFFICE.get(trick.needs, (rung,)):
                return _row(trick, Got("not run", text=f"needs {trick.needs}"), honest[trick.base])
            folder = Path(name) / trick.name
            try:
                return _attempt(lab, trick, folder, canaries, honest[trick.base], halt, held=rung in REAL)
            finally:
                shutil.rmtree(folder, ignore_errors=True)

        for trick, row in as_they_end(attempt, wanted, jobs):
            rows[trick.name] = row
            done(row)
        hurt = canaries.hurt()
    return Forgeries(lab.id, isolation, tuple(rows[trick.name] for trick in wanted), hurt)


def _honest(lab: Lab, bases: set[Base], jobs: int) -> tuple[dict[Base, Got], str]:
    """What each base gets without a trick, and by which isolation it was held."""
    submissions: dict[Base, Submission] = {"broken": from_folder(lab.service), "reference": reference()}

    def graded(base: Base, halt: Halt) -> tuple[Got, str]:
        report = grade(Request(lab, submissions[base], seed=SEED), halt=halt)
        return got_of(report, ""), report.isolation

    found = dict(as_they_end(graded, sorted(bases), jobs))
    isolations = sorted({isolation for _, isolation in found.values()})
    return {base: got for base, (got, _) in found.items()}, isolations[0] if isolations else "none"


def _attempt(
    lab: Lab, trick: Forgery, folder: Path, canaries: Canaries, honest: Got, halt: Halt, *, held: bool
) -> ForgeryRow:
    """`held`: there is a real isolation, so that none of this is ever graded without it."""
    token = f"forged-{canaries.secret[:8]}-{trick.name}"
    limited = replace(lab, budgets=replace(lab.budgets, **trick.budgets))
    submission = replace(forge(trick, lab, folder, token), name=trick.name)
    try:
        report = grade(Request(limited, submission, seed=SEED, untrusted=held), halt=halt)
        got = got_of(report, "\n".join(_texts(json.loads(dumps(report)))))
    except SubmissionRefused as refusal:
        got = Got("refused", text=str(refusal))
    leaked = ("the report gives away a secret",) if canaries.secret in got.text else ()
    return _row(trick, got, honest, *leaked, *left_running(token))


def _texts(value: Any) -> Iterator[str]:
    """Every text in a report, as its readers get it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _row(trick: Forgery, got: Got, honest: Got, *harm: str) -> ForgeryRow:
    demand = Demand(trick.expected, trick.endings, trick.says, trick.never)
    wrong = () if got.ending == "not run" else (*faults(demand, got, honest), *harm)
    said_of = got.text if got.ending == "not run" else said(demand, got)
    return ForgeryRow(trick.name, trick.tries, got, honest.score, said_of, wrong)
