"""With what a server is started: its environment, and a word to the kernel in case we die first."""

import os
import signal
import subprocess
import threading
from functools import cache


def environment() -> dict[str, str]:
    """The environment of a server: of ours only where libraries are. Postgres on macOS needs an LC_ALL."""
    kept = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {
        "PATH": os.defpath,
        "LC_ALL": "C",
        **{name: os.environ[name] for name in kept if name in os.environ},
    }


@cache
def _setpriv_works() -> bool:
    try:
        return not subprocess.run(["setpriv", "--pdeathsig", "KILL", "true"], capture_output=True).returncode
    except OSError:
        return False


def parent_death(number: signal.Signals) -> list[str]:
    """What to put before a command so that it gets a signal when we die; nothing without setpriv(1) of Linux.

    The kernel watches the thread that spawned it (PR_SET_PDEATHSIG): only the main one lives long enough.
    """
    watched = threading.current_thread() is threading.main_thread() and _setpriv_works()
    return ["setpriv", "--pdeathsig", number.name.removeprefix("SIG")] if watched else []
