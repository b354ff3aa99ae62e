"""The two processes of one grade. The first prepares, with a network; the second grades, without one, and reports.

Each watches its lifelines and sends one result. What is done stands in `prepare` and in `stages`.
"""

import errno
import os
import select
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack

from compose.disk import REMEDY as FULL_DISK
from compose.places import RunDirectory
from compose.stores import StoresFailed
from graders.check import Failure
from graders.engine.channel import Channel, Job, Result
from graders.engine.lifeline import PREPARED, adopt_orphans, end_descendants
from graders.engine.phases import Phases
from graders.engine.prepare import Prepared, install, lay_files
from graders.engine.runtime import InstallFailed
from graders.engine.sandbox import REMEDY as NO_SANDBOX
from graders.engine.sandbox import Ladder, NoSandbox
from graders.engine.submission import SubmissionRefused
from graders.reports.model import Outcome, Trouble

HARD_STOP = 3.0
DONE, INTERRUPTED = 0, 4


def prepare(job_line: str, lifelines: tuple[int, ...]) -> int:
    """Lay the files and install. Exit code PREPARED when the grade can begin, DONE when a result was sent."""
    return _process(job_line, lifelines, _prepare, network=False)


def conduct(job_line: str, lifelines: tuple[int, ...]) -> int:
    """Do the job, on a network of its own unless it is served by hand, and send its result. Exit code DONE."""
    return _process(job_line, lifelines, _conduct, network=True)


def _process(
    job_line: str,
    lifelines: tuple[int, ...],
    work: Callable[[Job, Channel, Ladder], int],
    *,
    network: bool,
) -> int:
    adopt_orphans()
    job = Job.from_json(job_line)
    if job.cores and hasattr(os, "sched_setaffinity"):  # what we start inherits it
        os.sched_setaffinity(0, job.cores)
    ladder = Ladder(job.run_dir, demanded=job.untrusted)
    # On Docker the way in leads through ports of this machine, and mounts of our own would be unknown to the engine.
    if not (network and job.on == "docker"):
        ladder.enter(network=network and not job.serve)
    channel = Channel(os.dup(1))
    os.dup2(2, 1)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.default_int_handler)
    # Of our own: pytest puts /dev/null in the place of descriptor 0, and whoever looks there then sees an end.
    watched = tuple(os.dup(each) for each in lifelines)
    threading.Thread(target=_watch, args=(watched,), daemon=True, name="lifelines").start()
    # The next run ends us, should we be stopped when all others are killed.
    RunDirectory(job.run_dir).record(os.getpid())
    try:
        return work(job, channel, ladder)
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        end_descendants()
        ladder.leave()


def _watch(lifelines: tuple[int, ...]) -> None:
    """When whoever we work for is gone, interrupt the work; should that take too long, end everything at once."""
    ready: list[int] = []
    while not any(os.read(each, 1) == b"" for each in ready):
        ready, _, _ = select.select(lifelines, [], [])
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    threading.main_thread().join(HARD_STOP)
    end_descendants()
    os._exit(INTERRUPTED)


def _prepare(job: Job, channel: Channel, ladder: Ladder) -> int:
    phases = Phases(channel)
    tree_hash = ""
    outcomes: tuple[Outcome, ...] = ()
    trouble = None
    try:
        tree_hash = lay_files(job, phases)
        python, modules, image = install(job, phases, ladder, channel.note)
        Prepared(tree_hash, tuple(phases.done), python, modules, image).write(job.run_dir)
        return PREPARED
    except Failure as failure:
        from graders.engine.stages import never_started  # with pytest: nothing else here needs it

        outcomes = never_started(job.lab, failure, ())
    except TROUBLES as error:
        trouble = _trouble(error)
    channel.result(Result(outcomes, tuple(phases.done), tree_hash, "none: nothing of it ran", {}, trouble))
    return DONE


def _conduct(job: Job, channel: Channel, ladder: Ladder) -> int:
    from graders.engine.stages import Stage, perform  # with pytest: only this process needs it

    prepared = Prepared.read(job.run_dir)
    stage = Stage(job, channel, Phases(channel, prepared.phases), ladder, prepared)
    outcomes: tuple[Outcome, ...] = ()
    trouble = None
    try:
        with ExitStack() as stack:
            outcomes = perform(stage, stack)
            with stage.phases("stop"):
                stack.close()
    except TROUBLES as error:
        trouble = _trouble(error)
    channel.result(
        Result(
            outcomes,
            tuple(stage.phases.done),
            prepared.tree_hash,
            stage.isolation,
            stage.stores.versions(),
            trouble or stage.trouble,
            stage.log.refused(),
        )
    )
    return DONE


TROUBLES = (StoresFailed, InstallFailed, SubmissionRefused, NoSandbox, OSError)


def _trouble(error: BaseException) -> Trouble:
    match error:
        case StoresFailed():
            return Trouble(error.problem, error.remedy, error.details)
        case InstallFailed():
            return Trouble(error.problem, error.remedy, error.output)
        case SubmissionRefused():
            return Trouble(error.problem, error.remedy)
        case NoSandbox():
            return Trouble(f"No sandbox works on this machine: {error}.", NO_SANDBOX)
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return Trouble("The disk is full.", FULL_DISK, str(error))
    return Trouble(f"The machine refused: {error}", "`octo_lab doctor` shows what is missing.")
