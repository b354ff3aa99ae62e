"""One grade, from the outside: start the keeper, relay what it tells, and make the report of its result."""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from compose import places, processes
from compose.stores import Ground, StoresFailed
from graders.check import Verdict
from graders.engine import channel
from graders.engine.channel import Job, Listener, Nobody, Result
from graders.engine.checks import outcome_of
from graders.engine.submission import Submission, examine
from graders.reports.model import Outcome, Report, Trouble
from graders.reports.words import NOT_SELECTED
from labs.catalog import Lab

FAREWELL = 8.0
KIT_MARGIN = 900.0
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Request:
    """What is to be graded. Without a seed a random one is taken and told in the report.

    untrusted: no grade without a sandbox. install: whether dependencies may be installed. on: what it all runs on.
    """

    lab: Lab
    submission: Submission
    seed: int | None = None
    only: tuple[str, ...] = ()
    untrusted: bool = False
    install: bool = True
    on: Ground = "embedded"


class Halt:
    """Ends, from another thread, all grades that were given it; those not begun yet then end at once."""

    def __init__(self) -> None:
        self._keepers: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._halted = False

    @property
    def halted(self) -> bool:
        """Whether it was called: what a grade says after that is worth nothing."""
        return self._halted

    def __call__(self) -> None:
        with self._lock:
            self._halted = True
            for keeper in self._keepers:
                keeper.terminate()

    @contextmanager
    def watching(self, keeper: "subprocess.Popen[str]") -> Iterator[None]:
        with self._lock:
            self._keepers.add(keeper)
            if self._halted:
                keeper.terminate()
        try:
            yield
        finally:
            with self._lock:
                self._keepers.discard(keeper)


def grade(
    request: Request,
    listener: Listener | None = None,
    halt: Halt | None = None,
    cores: tuple[int, ...] = (),
) -> Report:
    """Grade one submission. Always gives a Report, except for SubmissionRefused and KeyboardInterrupt.

    cores: the processors to stay on, so that grades beside it keep theirs; empty for all.
    """
    examine(request.submission, request.lab)
    seed = secrets.randbelow(10**9) if request.seed is None else request.seed
    started, clock = datetime.now(UTC), time.monotonic()
    try:
        places.sweep()
        with places.run_directory() as run:
            job = Job(
                request.lab,
                request.submission,
                seed,
                run.path,
                request.only,
                untrusted=request.untrusted,
                install=request.install,
                cores=cores,
                on=request.on,
            )
            result = result_of(job, listener or Nobody(), halt or Halt())
    except StoresFailed as error:
        result = _without(Trouble(error.problem, error.remedy, error.details))
    except OSError as error:
        result = _without(
            Trouble(f"The machine refused: {error}", "`octo_lab doctor` shows what is missing.")
        )
    return report_of(request, result, seed, started, time.monotonic() - clock)


def result_of(job: Job, listener: Listener, halt: Halt) -> Result:
    """Start a keeper for the job and relay until it has a result, or none."""
    found: Result | None = None
    with _keeper(job) as keeper, halt.watching(keeper), _limited(keeper, job):
        for message in _messages(keeper):
            if message["event"] == "result":
                found = channel.result(message["result"])
            else:
                channel.relay(message, listener)
    return found or _without(_silence(job.run_dir))


@contextmanager
def _keeper(job: Job) -> "Iterator[subprocess.Popen[str]]":
    """The keeper at work. On leaving, its standard input closes, which ends the grade, and it is waited for."""
    log = job.run_dir / "grader.log"
    log.touch(mode=0o600)  # other users may come by
    with log.open("wb") as errors:
        keeper = subprocess.Popen(
            [sys.executable, "-P", "-m", "graders.engine.keeper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=job.run_dir,
            env=_environment(),
            text=True,
            start_new_session=True,
        )
    assert keeper.stdin is not None, "started with a pipe"
    assert keeper.stdout is not None, "started with a pipe"
    try:
        keeper.stdin.write(job.to_json() + "\n")
        keeper.stdin.flush()
        yield keeper
    finally:
        with _uninterrupted():
            keeper.stdin.close()
            _farewell(keeper)
            keeper.stdout.close()


@contextmanager
def _limited(keeper: "subprocess.Popen[str]", job: Job) -> Iterator[None]:
    """A grade does not take for ever. What is served by hand may."""
    if job.serve:
        yield
        return
    limit = threading.Timer(_longest(job.lab), _end_family, (keeper,))
    # A signal that the timer's thread took would not wake the main thread, who is to act on it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    limit.start()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        yield
    finally:
        limit.cancel()


def _farewell(keeper: "subprocess.Popen[str]") -> None:
    try:
        keeper.wait(FAREWELL)
    except subprocess.TimeoutExpired:
        _end_family(keeper)
        keeper.wait()


def _end_family(keeper: "subprocess.Popen[str]") -> None:
    """The last resort, for a grader that is stopped or hangs: it cannot tear down, so nobody is left to."""
    processes.end(processes.family(keeper.pid))


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """A second Ctrl-C must not cut the clean-up short. Only the main thread may change handlers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, signal.SIG_IGN) for each in STOPS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _messages(keeper: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    assert keeper.stdout is not None, "started with a pipe"
    for line in keeper.stdout:
        yield json.loads(line)


def _environment() -> dict[str, str]:
    """The grader's environment: no option of pytest's or Python's can come in from outside."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "PYTHON", "COV_"))
    }
    if place := kept.get(places.CACHE_VARIABLE):  # the grader works in another directory
        kept[places.CACHE_VARIABLE] = str(Path(place).absolute())
    return kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONUTF8": "1"}


def _longest(lab: Lab) -> float:
    """Past the sum of all budgets and what the kit may need itself, something hangs."""
    budgets = lab.budgets
    return budgets.install + budgets.release + budgets.boot + budgets.whole + KIT_MARGIN


def _silence(run_dir: Path) -> Trouble:
    """The keeper ended without a result."""
    try:
        last = "\n".join((run_dir / "grader.log").read_text(errors="replace").splitlines()[-12:])
    except OSError:
        last = ""
    return Trouble(
        "The grader ended without a result.", "Grade again; if it stays so, report the lines below.", last
    )


def _without(trouble: Trouble) -> Result:
    return Result((), (), "", "none", {}, trouble)


def report_of(request: Request, result: Result, seed: int, started: datetime, seconds: float) -> Report:
    """The report of a request with what came of it; `started` in UTC."""
    lab = request.lab
    outcomes = _complete(request, result)
    reached = sum(outcome.points for outcome in outcomes if outcome.verdict == "pass")
    possible = sum(check.points for check in lab.checks)
    return Report(
        lesson=lab.id,
        title=lab.title,
        verdict=_verdict(lab, result),
        score=round(100 * reached / possible, 1),
        points=reached,
        points_possible=possible,
        seed=seed,
        tree_hash=result.tree_hash,
        submission=request.submission.name,
        kit_version=kit_version(),
        started_at=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
        seconds=round(seconds, 3),
        isolation=result.isolation,
        stores=result.stores,
        phases=result.phases,
        checks=outcomes,
        partial=bool(request.only),
        trouble=result.trouble or _ungraded_trouble(result.outcomes),
        lesson_version=lab.version,
        blocked=result.blocked,
    )


def _complete(request: Request, result: Result) -> tuple[Outcome, ...]:
    """One outcome for each check of the lesson: those that never ran say so."""
    ran = {outcome.id: outcome for outcome in result.outcomes}
    verdict: Verdict = "skipped" if request.only or not result.trouble else "ungraded"
    note = NOT_SELECTED if request.only else "did not run"
    return tuple(
        ran.get(spec.id) or outcome_of(request.lab, spec, verdict, note) for spec in request.lab.checks
    )


def _verdict(lab: Lab, result: Result) -> Verdict:
    """Deny by default: pass only when every check of the lesson reported a pass."""
    verdicts = {outcome.id: outcome.verdict for outcome in result.outcomes}
    if result.trouble or "ungraded" in verdicts.values():
        return "ungraded"
    return "pass" if all(verdicts.get(check.id) == "pass" for check in lab.checks) else "fail"


def _ungraded_trouble(outcomes: tuple[Outcome, ...]) -> Trouble | None:
    first = next((outcome for outcome in outcomes if outcome.verdict == "ungraded"), None)
    return Trouble(f"The check {first.id} could not be judged.", first.note) if first else None


def kit_version() -> str:
    try:
        return version("octo_lab")
    except PackageNotFoundError:
        return "unknown"
