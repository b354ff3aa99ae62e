"""Stands between the command line and one grade, so that whichever process is killed, nothing is left running.

It has two children, one after the other: the first prepares, the second conducts the grade. They and the keeper adopt
orphans. A child dies: its orphans become the keeper's, who ends them. Command line dies: the child sees its standard
input close, and tears down. Keeper dies: the child sees the pipe between them close, and tears down.
Run as `python -P -m graders.engine.keeper`, job on standard input.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from graders.engine.lifeline import PREPARED, adopt_orphans, end_descendants

Work = Callable[[str, tuple[int, ...]], int]


def main() -> int:
    adopt_orphans()
    job = sys.stdin.readline()
    if not job:
        return 0
    kept, keeps = os.pipe()
    for each in (signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)

    def over(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.close(keeps)  # the child at the pipe's other end sees it, whichever of the two it is

    signal.signal(signal.SIGTERM, over)
    # Once for both children, and after all is set up to end:
    from graders.engine.conductor import conduct, prepare

    code = _child(prepare, job, kept, keeps)
    if code == PREPARED:
        code = _child(conduct, job, kept, keeps)
    _end_recorded(job)
    return code


def _child(work: Work, job: str, kept: int, keeps: int) -> int:
    """Do the work in a process of its own; its exit code, with nothing of it left."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with contextlib.suppress(OSError):  # closed already: it is over
            os.close(keeps)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os._exit(work(job, (0, kept)))
    _, status = os.waitpid(child, 0)
    end_descendants()
    code = os.waitstatus_to_exitcode(status)
    if code < 0:  # its own last words are missing: say at least this
        print(f"The grade's process was ended by signal {-code}.", file=sys.stderr, flush=True)
    return code if code >= 0 else 1


def _end_recorded(job: str) -> None:
    """Where the system gives us no orphans (macOS), the run's own record of processes does."""
    import json

    from compose import processes

    processes.end(processes.recorded(Path(json.loads(job)["run_dir"]) / "processes"))


if __name__ == "__main__":
    sys.exit(main())
