"""Many submissions at once: each a row and a report; resumable, and stopped when the machine is to blame."""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from compose.locks import Held, locked
from compose.stores import StoresFailed
from graders.engine import batch_state
from graders.engine.archives import unpacked
from graders.engine.batch_entries import Entry
from graders.engine.batch_state import Finished, State, StateUnusable
from graders.engine.grade import Halt, Request, grade, kit_version
from graders.engine.not_graded import refused, ungraded
from graders.engine.pool import for_each, shares
from graders.engine.submission import MAX_BYTES, SubmissionRefused, from_folder, tree_hash
from graders.engine.whole_files import write_whole
from graders.reports.batch_rows import BatchRow, row_of, to_csv
from graders.reports.json_report import dumps
from graders.reports.model import Report, Trouble
from labs.catalog import Lab

NOT_YET = "not graded yet: the batch ended before"


@dataclass(frozen=True)
class Batch:
    """What to grade and how. `canary` is a request for the reference: with each submission in its place it is the request
    for that one. `document` writes a report down; `signed_with` names the key that it signs with, if any."""

    canary: Request
    entries: tuple[Entry, ...]
    out: Path
    jobs: int
    document: Callable[[Report], str] = dumps
    signed_with: str = ""


@dataclass(frozen=True)
class Graded:
    """A row for each entry, in their order. `stopped`: why the batch ended early, empty when it did not."""

    rows: tuple[BatchRow, ...]
    stopped: str


class MachineAtFault(Exception):
    """A grade ended abnormally, and the reference's did, too."""


class Halted(Exception):
    """The batch is ending: what this grade said is worth nothing."""


def grade_batch(batch: Batch, told: Callable[[BatchRow, bool], None], *, fresh: bool = False) -> Graded:
    """Grade all entries and write `results.csv` and `reports/` in the batch's folder.

    `told` hears of each row, and whether it stood from before. Raises StateUnusable, and what cannot be written.
    """
    (batch.out / "reports").mkdir(parents=True, exist_ok=True)
    with _alone(batch.out):
        state = _state(batch, fresh=fresh)
        seeded = replace(batch, canary=replace(batch.canary, seed=state.seed))
        return _graded(seeded, state, told)


def _graded(batch: Batch, state: State, told: Callable[[BatchRow, bool], None]) -> Graded:
    halt, stopped, rows = Halt(), "", dict[str, BatchRow]()

    def done(entry: Entry, found: tuple[Finished, bool]) -> None:
        finished, before = found
        rows[entry.file] = finished.row
        if not before and finished.row.verdict != "ungraded":
            state.keep(entry.file, finished)
        told(finished.row, before)

    try:
        for_each(batch.entries, Grader(batch, state, halt), jobs=batch.jobs, done=done, halt=halt)
    except MachineAtFault as error:
        stopped = str(error)
    finally:
        every = tuple(rows.get(entry.file) or _missing(entry, batch) for entry in batch.entries)
        write_whole(batch.out / "results.csv", to_csv(every))
    return Graded(every, stopped)


def _missing(entry: Entry, batch: Batch) -> BatchRow:
    return row_of(entry.name, ungraded(batch.canary, Trouble(NOT_YET, "Run the same command again.")))


def _state(batch: Batch, *, fresh: bool) -> State:
    """What an earlier run of this command left, or a new state. A batch has one seed: all get the same questions."""
    path, lesson, seed = batch.out / "state.json", batch.canary.lab.id, batch.canary.seed
    state = None if fresh else batch_state.read(path, lesson)
    if state is None:
        return State(path, lesson, secrets.randbelow(10**9) if seed is None else seed)
    return state if seed is None else replace(state, seed=seed)


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    try:
        with locked(out / ".lock", wait=False):
            yield
    except Held:
        raise StateUnusable(
            f"Another batch is writing to {out}: wait for it, or name another --out."
        ) from None


class Grader:
    """Grades one entry, in whichever thread asks. Keeps no report."""

    def __init__(self, batch: Batch, state: State, halt: Halt) -> None:
        self._batch = batch
        self._state = state
        self._halt = halt
        self._common = circumstances(batch)
        self._shares: SimpleQueue[tuple[int, ...]] = SimpleQueue()
        for share in shares(batch.jobs):
            self._shares.put(share)

    def __call__(self, entry: Entry) -> tuple[Finished, bool]:
        """The row, and whether it stood from before, since nothing has changed.

        Raises MachineAtFault, Halted, and what cannot be written.
        """
        under = {**self._common, "submission": content_hash(entry.path)}
        report_file = self._batch.out / "reports" / f"{entry.file}.json"
        kept = self._state.row(entry.file, under) if under["submission"] else None
        if kept and report_file.exists():
            return Finished(under, kept), True
        report, note = self._judged(entry)
        write_whole(report_file, self._batch.document(report))
        return Finished(under, row_of(entry.name, report, note)), False

    def _judged(self, entry: Entry) -> tuple[Report, str]:
        """The report and a note. What ends abnormally is graded once more, if the reference shows the machine to be well."""
        request = replace(self._batch.canary, submission=from_folder(entry.path))
        report, note = self._once(request)
        if report.verdict == "ungraded":
            self._expect_well(entry)
            report, note = self._once(request)
        return report, note

    def _expect_well(self, entry: Entry) -> None:
        """The canary. Raises MachineAtFault when not even the reference passes now."""
        canary, _ = self._once(self._batch.canary)
        if canary.verdict != "pass":
            raise MachineAtFault(
                f"{entry.name} could not be graded, and the reference, graded next, is no pass: {_why(canary)}"
            )

    def _once(self, request: Request) -> tuple[Report, str]:
        """One grade and a note on it. Whatever goes wrong in it is one row."""
        try:
            with self._share() as cores, unpacked(request.submission, request.lab) as files:
                found = grade(replace(request, submission=files), halt=self._halt, cores=cores), ""
        except SubmissionRefused as refusal:
            found = refused(request, refusal), f"refused: {refusal.problem}"
        except StoresFailed as error:
            found = ungraded(request, Trouble(error.problem, error.remedy, error.details)), ""
        except Exception as error:
            trouble = Trouble(f"The machine refused, or a fault of octo_lab: {error!r}", "`octo_lab doctor`")
            found = ungraded(request, trouble), ""
        if self._halt.halted:
            raise Halted
        return found

    @contextmanager
    def _share(self) -> Iterator[tuple[int, ...]]:
        """Processors for one grade, taken from those of the batch and given back."""
        share = self._shares.get()
        try:
            yield share
        finally:
            self._shares.put(share)


def _why(report: Report) -> str:
    """Why a report is no pass, in a sentence or two."""
    if trouble := report.trouble:
        return " ".join(part for part in (trouble.problem, trouble.details, trouble.remedy) if part)
    return f"it fails {next(outcome.id for outcome in report.checks if outcome.verdict != 'pass')}."


def circumstances(batch: Batch) -> dict[str, Any]:
    """What all verdicts of a batch rest on beside the submissions: kit, lesson, options. Plain JSON."""
    request = batch.canary
    options = {field.name: getattr(request, field.name) for field in fields(request)}
    del options["lab"], options["submission"]
    return {
        "kit_version": kit_version(),
        "lesson_version": request.lab.version,
        "lesson_files": lesson_hash(request.lab),
        "options": {
            name: list(value) if isinstance(value, tuple) else value for name, value in options.items()
        },
        "signed_with": batch.signed_with,
    }


def lesson_hash(lab: Lab) -> str:
    """SHA-256 over everything that a lesson is made of: its text, its grader, the reference."""
    trees = (tree_hash(folder) for folder in (lab.folder, lab.grader, lab.reference))
    return hashlib.sha256("\n".join(trees).encode()).hexdigest()


def content_hash(path: Path) -> str:
    """SHA-256 of an archive's bytes or of a folder's files; empty for what will be refused anyway."""
    with suppress(OSError, SubmissionRefused):
        if path.is_dir():
            return tree_hash(path)
        if path.stat().st_size <= MAX_BYTES:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
    return ""
