"""Whatever is killed, and whenever: five seconds later no process of the grade is left."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.engine.conftest import Door

PHASES = ("files", "stores", "install", "release")
WITHIN = 5.0


def gone(door: Door) -> bool:
    deadline = time.monotonic() + WITHIN
    while door.processes():
        if time.monotonic() > deadline:
            return False
        psutil.wait_procs(door.processes(), timeout=0.2)
    return True


def keeper_of(door: Door, cli: int) -> psutil.Process:
    """The keeper is the command line's child; the conductor is the keeper's first child."""
    return next(p for p in psutil.Process(cli).children() if "graders.engine.keeper" in p.cmdline())


def the_cli(door: Door, cli: int) -> int:
    return cli


def the_keeper(door: Door, cli: int) -> int:
    return keeper_of(door, cli).pid


def the_conductor(door: Door, cli: int) -> int:
    """Whichever of the keeper's two children is at work; between the two there is none, for a moment."""
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        with suppress(psutil.Error):
            for child in keeper_of(door, cli).children():
                if child.status() != psutil.STATUS_ZOMBIE:
                    return child.pid
    raise AssertionError("the keeper has no child at work")


# It forks twice and leaves its session, as daemons do, and clears its environment.
DAEMON = (
    "python -c 'import os; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); "
    'os.execve("/bin/sleep", ["sleep", "1000"], {})\''
)


@pytest.fixture
def slow_kit(kit: Path) -> Path:
    """A service that never gets ready, and a daemon that slipped away from its process group."""
    (kit / "reference_service" / "Procfile").write_text(f"release: {DAEMON}\nweb: sleep 1000\n")
    return kit


@pytest.mark.parametrize("victim", [the_cli, the_keeper, the_conductor])
@pytest.mark.parametrize("phase", PHASES)
def test_nothing_is_left_after_a_kill(
    victim: Callable[[Door, int], int], phase: str, door: Door, slow_kit: Path
) -> None:
    with door.begun("grade", "1", "--reference", until=phase) as cli:
        os.kill(victim(door, cli.pid), signal.SIGKILL)
        assert gone(door), f"left: {[p.cmdline() for p in door.processes()]}"
        assert cli.wait(10) in (3, -signal.SIGKILL)


@pytest.mark.parametrize("interrupt", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_leaves_nothing(interrupt: signal.Signals, door: Door, slow_kit: Path) -> None:
    with door.begun("grade", "1", "--reference", until="release") as cli:
        cli.send_signal(interrupt)
        rest, _ = cli.communicate(timeout=10)
    assert cli.returncode == 130
    assert "Traceback" not in rest
    assert gone(door)
    assert runs(door) == [], "and nothing half-written"


def test_a_grader_that_stands_still_is_ended_by_an_interrupt(door: Door, slow_kit: Path) -> None:
    with door.begun("grade", "1", "--reference", until="release") as cli:
        os.kill(the_conductor(door, cli.pid), signal.SIGSTOP)
        cli.send_signal(signal.SIGINT)
        assert cli.wait(20) == 130
    assert gone(door)
    assert runs(door) == []


def test_a_grader_that_stands_still_is_swept_by_the_next_run(door: Door, slow_kit: Path) -> None:
    with door.begun("grade", "1", "--reference", until="release") as cli:
        os.kill(the_conductor(door, cli.pid), signal.SIGSTOP)
        cli.kill()
    door("doctor", "--clean")
    assert gone(door)


# Interrupts itself when the door begins to load what it needs.
LOADING = """
import os, runpy, signal, sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""


def test_an_interrupt_while_it_loads_is_silent(door: Door) -> None:
    python, *_, script, command = door.command("list")
    loaded = subprocess.run(
        [python, "-c", LOADING, script, command], env=door.environment(), capture_output=True, check=False
    )
    assert (loaded.returncode, loaded.stderr) == (-signal.SIGINT, b"")


def test_what_was_asked_of_a_suspended_one_is_done_when_it_goes_on(door: Door) -> None:
    """As a shell does with `kill %1`, and a terminal that closes with its suspended jobs."""
    with door.begun("run", "1", "--reference", until="Up.") as cli:
        for each in (signal.SIGSTOP, signal.SIGTERM, signal.SIGCONT):
            cli.send_signal(each)
        assert cli.wait(20) == 130
    assert gone(door)


def test_a_daemon_does_not_outlive_a_grade(door: Door, kit: Path) -> None:
    (kit / "reference_service" / "Procfile").write_text(f"release: {DAEMON}\nweb: python web.py\n")
    graded = door("grade", "1", "--reference")
    assert graded.returncode == 0, graded.stdout + graded.stderr
    assert not door.processes()


def test_the_next_run_sweeps_what_a_killed_one_left_on_disk(door: Door, kit: Path) -> None:
    with door.begun("grade", "1", "--reference", until="stores") as cli:
        cli.kill()
    assert gone(door)
    assert door("grade", "1", "--reference").returncode == 0
    assert runs(door) == []


def runs(door: Door) -> list[Path]:
    return [path for path in (door.cache / "runs").iterdir() if path.is_dir()]
