"""The process of one grade: does the job, watches its lifelines, sends one result. The phases stand in `stages`."""

import errno
import os
import select
import signal
import threading
from contextlib import ExitStack

from compose.disk import REMEDY as FULL_DISK
from compose.stores import StoresFailed
from graders.engine.channel import Channel, Job, Result
from graders.engine.lifeline import adopt_orphans, end_descendants
from graders.engine.runtime import InstallFailed
from graders.engine.stages import Phases, Stage, perform
from graders.engine.submission import SubmissionRefused
from graders.reports.model import Outcome, Trouble

HARD_STOP = 3.0


def conduct(job_line: str, lifelines: tuple[int, ...]) -> int:
    """Do the job and send its result. Exit code 0 when a result was sent."""
    adopt_orphans()
    channel = Channel(os.dup(1))
    os.dup2(2, 1)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.default_int_handler)
    threading.Thread(target=_watch, args=(lifelines,), daemon=True, name="lifelines").start()
    try:
        channel.result(_run(Job.from_json(job_line), channel))
        return 0
    except KeyboardInterrupt:
        return 4
    finally:
        end_descendants()


def _watch(lifelines: tuple[int, ...]) -> None:
    """When whoever we work for is gone, interrupt the work; should that take too long, end everything at once."""
    ready: list[int] = []
    while not any(os.read(each, 1) == b"" for each in ready):
        ready, _, _ = select.select(lifelines, [], [])
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    threading.main_thread().join(HARD_STOP)
    end_descendants()
    os._exit(4)


def _run(job: Job, channel: Channel) -> Result:
    stage = Stage(job, channel, Phases(channel))
    stage.run.record(os.getpid())  # the next run ends us, should we be stopped when all others are killed
    outcomes: tuple[Outcome, ...] = ()
    trouble = None
    try:
        with ExitStack() as stack:
            outcomes = perform(stage, stack)
            with stage.phases("stop"):
                stack.close()
    except StoresFailed as error:
        trouble = Trouble(error.problem, error.remedy, error.details)
    except InstallFailed as error:
        trouble = Trouble(error.problem, error.remedy, error.output)
    except SubmissionRefused as error:
        trouble = Trouble(error.problem, error.remedy)
    except OSError as error:
        trouble = _machine_trouble(error)
    phases = tuple(stage.phases.done)
    return Result(
        outcomes, phases, stage.tree_hash, stage.isolation, stage.stores.versions(), trouble or stage.trouble
    )


def _machine_trouble(error: OSError) -> Trouble:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Trouble("The disk is full.", FULL_DISK, str(error))
    return Trouble(f"The machine refused: {error}", "`octo_lab doctor` shows what is missing.")
