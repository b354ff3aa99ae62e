"""The phases of one grade in order, from files to verdicts. The process around them is the conductor."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from compose import containers, embedded
from compose.places import RunDirectory
from compose.ports import candidates, is_free, promised
from compose.stores import FixedAddresses, StoreName, Stores
from compose.trouble import trouble
from graders.check import CannotJudge, Failure
from graders.engine import docker_warden, surroundings
from graders.engine.bubblewrap import Shown
from graders.engine.by_hand import serve_by_hand
from graders.engine.channel import Channel, Job
from graders.engine.checks import outcome_of
from graders.engine.dataset import dataset_of
from graders.engine.docker_rung import contained
from graders.engine.identity import GATEWAY, Identity, identity_of, ways_out
from graders.engine.phases import Phases
from graders.engine.plugin import Grading, failure_text
from graders.engine.prepare import Prepared, tree_of
from graders.engine.processes import Log, LogLine, NoProcfile, read_procfile
from graders.engine.sandbox import APP, Isolation, Ladder, Quarters, node_folders, python_folders
from graders.engine.service import SubmittedService, programs
from graders.engine.surroundings import Surroundings, surroundings_of
from graders.engine.warden import watching
from graders.probes.postgres import Postgres
from graders.probes.transcript import Transcript
from graders.reports.model import Outcome, Trouble
from labs.catalog import Lab

PYTEST_INI = Path(__file__).with_name("pytest.ini")


@dataclass
class Stage:
    """What the phases of one grade hand to each other."""

    job: Job
    channel: Channel
    phases: Phases
    ladder: Ladder
    prepared: Prepared
    log: Log = field(default_factory=Log)
    isolation: str = "none: nothing of it ran"
    stores: Stores = field(default_factory=Stores)
    identity: Identity = field(default_factory=lambda: Identity(GATEWAY))
    around: Surroundings = field(default_factory=lambda: Surroundings(Stores()))
    trouble: Trouble | None = None

    @property
    def tree(self) -> Path:
        return tree_of(self.job.run_dir)

    @property
    def run(self) -> RunDirectory:
        return RunDirectory(self.job.run_dir)


def perform(stage: Stage, stack: ExitStack) -> tuple[Outcome, ...]:
    """The phases in order. A submission that does not start fails the lesson's first check."""
    try:
        outcomes = _started(stage, stack)
    except Failure as failure:
        outcomes = never_started(stage.job.lab, failure, stage.log.since(0))
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
        if stage.around.processes:
            stage.around.processes.service = service
        serve_by_hand(stage.channel, stage.job.lab, service, stage.identity.url, stage.around.urls)
        return ()
    with stage.phases("checks"):
        return _checks(stage, service)


def _service(stage: Stage, stack: ExitStack) -> SubmittedService:
    """The stores up and the submission ready to be started. Raises Failure for its own faults."""
    job, lab = stage.job, stage.job.lab
    fixed = FixedAddresses() if job.serve else None
    commands = _commands(stage.tree)
    with stage.phases("stores"):
        stores = stage.stores = stack.enter_context(_stores(stage, fixed))
        isolation, bounded = _isolation(stage)
        stage.identity = identity_of(lab, stack, stores.enclosure, fixed, stage.channel.note)
        stage.around = surroundings_of(lab, stack, stores, ways_out(lab), fixed, stage.channel.note)
    stage.isolation = isolation.text
    if job.serve:
        stage.log.listener = lambda line: stage.channel.note(f"{line.source} | {line.text}")
    path = (stage.prepared.python, *programs())
    if stores.enclosure:
        ports, path = iter(stores.enclosure.ports.web), (stage.prepared.python,)
    elif fixed:
        ports = _promised_ports(fixed, stage.channel.note)
    else:
        ports = candidates()
    service = SubmittedService(
        lab.id,
        commands,
        stores,
        path,
        isolation,
        lab.budgets,
        stage.log,
        stage.run.record,
        ports,
        stage.around.stores,
        {**stage.identity.environment, **stage.around.environment, **lab.environment},
        job.serve,
    )
    stack.callback(service.stop)
    if stores.enclosure:
        stack.enter_context(docker_warden.watching(stores.enclosure, service.running, stage.log))
    else:
        warden = watching(service.running, stage.run.path / "stores", bounded, stage.log, stage.ladder.cgroup)
        stack.enter_context(warden)
    return service


def _stores(stage: Stage, fixed: FixedAddresses | None) -> AbstractContextManager[Stores]:
    """The lab's stores, up while the body runs."""
    job, run, say = stage.job, stage.run, stage.channel.note
    start = containers.start if job.on == "docker" else embedded.start
    return start(
        cast(frozenset[StoreName], job.lab.stores),
        dataset_of(job.lab, say),
        run.path,
        fixed=fixed,
        ways_out=ways_out(job.lab) + surroundings.ways_out(job.lab),
        record=run.record,
        say=say,
    )


def _promised_ports(fixed: FixedAddresses, say: Callable[[str], None]) -> Iterator[int]:
    """Of `web`, then of a `worker` that tells of itself, then of whoever comes."""
    yield next(promised(fixed.web, say))
    yield next(promised(fixed.worker, say))
    yield from candidates()


def _isolation(stage: Stage) -> tuple[Isolation, Path | None]:
    """The submission's files in its quarters, how to start it there, and the quarters if bounded. Raises NoSandbox."""
    if enclosure := stage.stores.enclosure:
        image, folder = stage.prepared.image, stage.run.path / "submission"
        return contained(enclosure, image, stage.tree, folder), None
    quarters = stage.ladder.quarters()
    isolation = _beside_us(stage, quarters)
    return isolation, quarters.home if isolation.boxed else None


def _beside_us(stage: Stage, quarters: Quarters) -> Isolation:
    """How to start the submission on this machine itself. Raises NoSandbox."""
    prepared = stage.prepared
    shutil.copytree(stage.tree, quarters.app, dirs_exist_ok=True)
    environment = prepared.python.parent
    shown = [*python_folders(), *node_folders(), Shown(environment, environment)]
    if prepared.modules:
        (quarters.app / "node_modules").mkdir(exist_ok=True)
        shown.append(Shown(prepared.modules, APP / "node_modules"))
    isolation = stage.ladder.service(quarters, shown, prepared.python / "python")
    if prepared.modules and not isolation.boxed:
        (quarters.app / "node_modules").rmdir()
        (quarters.app / "node_modules").symlink_to(prepared.modules)
    return isolation


def _commands(tree: Path) -> dict[str, str]:
    try:
        return read_procfile(tree)
    except NoProcfile as error:
        raise Failure(
            did="cat Procfile",
            expected="The Procfile has a line `web: COMMAND`, and may have `release:` and `worker:`.",
            got=str(error),
            because="The Procfile is how operators, and this grader, know how to start the service.",
        ) from error


def never_started(lab: Lab, failure: Failure, log: Sequence[LogLine]) -> tuple[Outcome, ...]:
    """The first check carries the failure; the others could not run."""
    first, *others = lab.checks
    text = failure_text(failure, first, [*log], "")
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

    grading = Grading(
        lab,
        service,
        connect,
        stage.tree,
        stage.log,
        job.seed,
        stage.channel,
        steps,
        job.only,
        stage.identity.provider,
        stage.around,
    )
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
    if fallen := stores.fallen():
        return Trouble(fallen.problem, fallen.remedy, fallen.details)
    for name, server in {"postgres": stores.postgres, "cache": stores.cache, "queue": stores.queue}.items():
        if server and is_free(server.port):
            return Trouble(f"The {name} server died during the grade.", "Grade again.")
    return None
