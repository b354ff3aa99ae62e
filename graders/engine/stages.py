"""The phases of one grade in order, from files to verdicts. The process around them is the conductor."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from compose import embedded
from compose.places import RunDirectory
from compose.ports import candidates, is_free, promised
from compose.stores import FixedAddresses, StoreName, Stores
from compose.trouble import trouble
from graders.check import CannotJudge, Failure
from graders.engine.by_hand import serve_by_hand
from graders.engine.channel import Channel, Job
from graders.engine.checks import outcome_of
from graders.engine.dataset import dataset_of
from graders.engine.plugin import Grading, failure_text
from graders.engine.processes import Log, NoProcfile, read_procfile
from graders.engine.runtime import InstallFailed, node_modules, python_environment
from graders.engine.sandbox import isolate
from graders.engine.service import SubmittedService, programs
from graders.engine.submission import lay
from graders.probes.postgres import Postgres
from graders.probes.transcript import Transcript
from graders.reports.model import Outcome, Phase, Trouble

PYTEST_INI = Path(__file__).with_name("pytest.ini")


class Phases:
    """Times the parts of a grade and tells the channel of each."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.done: list[Phase] = []

    @contextmanager
    def __call__(self, name: str, *, learner: bool = False) -> Iterator[None]:
        self._channel.phase_started(name)
        started = time.monotonic()
        try:
            yield
        finally:
            phase = Phase(name, round(time.monotonic() - started, 3), learner)
            self.done.append(phase)
            self._channel.phase_ended(phase)


@dataclass
class Stage:
    """What the phases of one grade hand to each other."""

    job: Job
    channel: Channel
    phases: Phases
    log: Log = field(default_factory=Log)
    tree_hash: str = ""
    isolation: str = "none"
    stores: Stores = field(default_factory=Stores)
    trouble: Trouble | None = None

    @property
    def tree(self) -> Path:
        return self.job.run_dir / "tree"

    @property
    def run(self) -> RunDirectory:
        return RunDirectory(self.job.run_dir)


def perform(stage: Stage, stack: ExitStack) -> tuple[Outcome, ...]:
    """The phases in order. A submission that does not start fails the lesson's first check."""
    with stage.phases("files"):
        stage.tree.mkdir(mode=0o755)
        stage.tree_hash = lay(stage.job.submission, stage.job.lab, stage.tree)
    try:
        outcomes = _started(stage, stack)
    except Failure as failure:
        outcomes = _never_started(stage, failure)
    stage.trouble = _stores_trouble(stage.stores)
    return outcomes


def _started(stage: Stage, stack: ExitStack) -> tuple[Outcome, ...]:
    """Start the submission and run the checks, or serve it by hand. Raises Failure where it does not start."""
    service = _service(stage, stack)
    with stage.phases("release", learner=True):
        service.release().succeed()
    with stage.phases("boot", learner=True):
        service.boot()
    if stage.job.serve:
        serve_by_hand(stage.channel, stage.job.lab, service)
        return ()
    with stage.phases("checks"):
        return _checks(stage, service)


def _service(stage: Stage, stack: ExitStack) -> SubmittedService:
    """The stores up, the dependencies there, the submission ready to be started. Raises Failure for its own faults."""
    job, lab = stage.job, stage.job.lab
    fixed = FixedAddresses() if job.serve else None
    with stage.phases("stores"):
        say = stage.channel.note
        wanted = cast(frozenset[StoreName], lab.stores)
        run = stage.run
        running = embedded.start(
            wanted, dataset_of(lab, say), run.path, fixed=fixed, record=run.record, say=say
        )
        stores = stack.enter_context(running)
        stage.stores = stores
    with stage.phases("install"):
        path = _install(stage)
    commands = _commands(stage)
    isolation = isolate(stage.tree, stage.job.run_dir / "scratch", path[0] / "python")
    stage.isolation = isolation.text
    if job.serve:
        stage.log.listener = lambda line: stage.channel.note(f"{line.source} | {line.text}")
    ports = promised(fixed.web, stage.channel.note) if fixed else candidates()
    service = SubmittedService(
        lab.id, stage.tree, commands, stores, path, isolation, lab.budgets, stage.log, stage.run.record, ports
    )
    stack.callback(service.stop)
    return service


def _install(stage: Stage) -> tuple[Path, ...]:
    """Folders for the PATH of the submission. A list of requirements that cannot be met is the submission's fault."""
    lab, tree = stage.job.lab, stage.tree
    try:
        python = python_environment(tree / "requirements.txt", seconds=lab.budgets.install)
        if (tree / "package.json").is_file():
            (tree / "node_modules").symlink_to(node_modules(tree, seconds=lab.budgets.install))
    except InstallFailed as error:
        if error.machine:
            raise
        raise Failure(
            did=f"octo_lab run {lab.id}",
            expected="The dependencies named in requirements.txt or package.json can be installed.",
            got=f"{error.problem}\n{error.output}",
            because="What cannot be installed cannot be deployed.",
        ) from error
    return (python, *programs())


def _commands(stage: Stage) -> dict[str, str]:
    try:
        return read_procfile(stage.tree)
    except NoProcfile as error:
        raise Failure(
            did="cat Procfile",
            expected="The Procfile has a line `web: COMMAND`, and may have `release:` and `worker:`.",
            got=str(error),
            because="The Procfile is how operators, and this grader, know how to start the service.",
        ) from error


def _never_started(stage: Stage, failure: Failure) -> tuple[Outcome, ...]:
    """The first check carries the failure; the others could not run."""
    lab = stage.job.lab
    first, *others = lab.checks
    text = failure_text(failure, first, stage.log.since(0), "")
    note = f"needs {first.id}: the service did not start"
    return (
        outcome_of(lab, first, "fail", failure=text),
        *(outcome_of(lab, spec, "skipped", note) for spec in others),
    )


def _checks(stage: Stage, service: SubmittedService) -> tuple[Outcome, ...]:
    lab, job, stores = stage.job.lab, stage.job, service.stores
    steps = Transcript()

    def connect(database: str) -> Postgres:
        if stores.postgres is None:
            raise CannotJudge("This lesson has no Postgres.", "Tell the lesson's author.")
        return Postgres(stores.postgres, database, steps)

    grading = Grading(lab, service, connect, stage.tree, stage.log, job.seed, stage.channel, steps, job.only)
    pytest.main(["-c", str(PYTEST_INI), "--rootdir", str(lab.grader), str(lab.grader)], plugins=[grading])
    wanted = [
        spec for spec in lab.checks if spec.id in grading.outcomes or not job.only or spec.id in job.only
    ]
    lost = "The check did not run: a fault of the grader's. Tell the lesson's author."
    return tuple(grading.outcomes.get(spec.id) or outcome_of(lab, spec, "ungraded", lost) for spec in wanted)


def _stores_trouble(stores: Stores) -> Trouble | None:
    """A verdict counts only if the stores are well to the end: otherwise it would be the machine's."""
    found = trouble(stores)
    if found:
        return Trouble(found.problem, found.remedy, found.details)
    for name, server in {"postgres": stores.postgres, "cache": stores.cache, "queue": stores.queue}.items():
        if server and is_free(server.port):
            return Trouble(f"The {name} server died during the grade.", "Grade again.")
    return None
