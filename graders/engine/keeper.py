"""Stands between the command line and one grade, so that whichever process is killed, nothing is left running.

Both the conductor and its parent, the keeper, adopt orphans. Conductor dies: its orphans become the keeper's, who ends
them. Command line dies: the conductor sees its standard input close, and tears down. Keeper dies: the conductor sees
the pipe between them close, and tears down. Run as `python -P -m graders.engine.keeper`, job on standard input.
"""

import os
import signal
import sys
from pathlib import Path

from graders.engine.lifeline import adopt_orphans, end_descendants


def main() -> int:
    adopt_orphans()
    job = sys.stdin.readline()
    if not job:
        return 0
    kept, keeps = os.pipe()
    conductor = os.fork()
    if conductor == 0:
        os.close(keeps)
        from graders.engine.conductor import conduct

        os._exit(conduct(job, lifelines=(0, kept)))
    os.close(kept)
    os.close(1)
    return _keep(conductor, job)


def _keep(conductor: int, job: str) -> int:
    for each in (signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(conductor, signal.SIGTERM))
    _, status = os.waitpid(conductor, 0)
    end_descendants()
    _end_recorded(job)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 1


def _end_recorded(job: str) -> None:
    """Where the system gives us no orphans (macOS), the run's own record of processes does."""
    import json

    from compose import processes

    processes.end(processes.recorded(Path(json.loads(job)["run_dir"]) / "processes"))


if __name__ == "__main__":
    sys.exit(main())
