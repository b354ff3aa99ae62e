"""Where things are kept, and what becomes of a run that died."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from compose import places, processes
from compose.places import cache_root, run_directory, sweep
from compose.stores import StoresFailed
from tests.compose.conftest import Told

# A run that records a process and is then killed. PR_SET_PDEATHSIG is no part of it: the process outlives it.
DYING_RUN = """
import os, signal, subprocess
from compose.places import run_directory
with run_directory() as run:
    nothing = subprocess.DEVNULL
    sleeper = subprocess.Popen(["sleep", "600"], stdout=nothing, stderr=nothing, start_new_session=True)
    run.record(sleeper.pid)
    print(sleeper.pid, run.path, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def dead_run() -> tuple[psutil.Process, Path]:
    """A run that died: the process that it left, and its directory."""
    died = subprocess.run([sys.executable, "-c", DYING_RUN], capture_output=True, text=True)
    pid, _, path = died.stdout.strip().partition(" ")
    return psutil.Process(int(pid)), Path(path)


def test_a_dead_run_is_swept(own_cache: Path) -> None:
    orphan, directory = dead_run()
    assert not ended(orphan)
    assert sweep() == [directory.name]
    assert ended(orphan)
    assert not directory.exists()


def test_servers_that_nobody_wrote_down_are_swept_too(own_cache: Path) -> None:
    orphan, directory = dead_run()
    (directory / "processes").unlink()
    server = directory / "valkey-server"
    server.symlink_to("/bin/sleep")
    with subprocess.Popen([server, "600"], cwd=directory) as stray:
        assert sweep() == [directory.name]
        assert stray.wait() != 0
    orphan.kill()


def test_another_process_of_the_same_number_is_spared(own_cache: Path) -> None:
    orphan, directory = dead_run()
    with subprocess.Popen(["sleep", "600"]) as innocent:
        (directory / "processes").write_text(f"{innocent.pid} {processes.born(1)}\nnot a line\n")
        assert sweep() == [directory.name]
        assert innocent.poll() is None
        innocent.kill()
    orphan.kill()


def test_a_living_run_is_never_swept(own_cache: Path) -> None:
    with run_directory() as run, subprocess.Popen(["sleep", "600"]) as child:
        run.record(child.pid)
        assert sweep() == []
        elsewhere = subprocess.run(
            [sys.executable, "-c", "from compose.places import sweep; print(sweep())"],
            capture_output=True,
            text=True,
        )
        assert elsewhere.stdout == "[]\n"
        assert child.poll() is None
        assert run.path.is_dir()
        child.kill()
    assert not run.path.exists()


def test_runs_that_begin_during_a_sweep_are_not_swept(own_cache: Path) -> None:
    def live(_: int) -> bool:
        with run_directory() as run:
            (run.path / "sign").touch()
            sweep()
            return (run.path / "sign").exists()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(live, range(100)))
    assert not list((own_cache / "runs").glob("*/"))


def test_a_process_is_known_by_number_and_birth() -> None:
    birth = processes.born(os.getpid())
    assert processes.the_same(os.getpid(), birth)
    assert not processes.the_same(1, birth)
    with subprocess.Popen(["true"]) as gone:
        pass
    assert not processes.the_same(gone.pid, birth)


def test_what_ignores_a_gentle_signal_is_killed(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PATIENCE", 0.1)
    stubborn = (
        "import signal; signal.signal(signal.SIGQUIT, signal.SIG_IGN); print(flush=True); signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        processes.end(processes.family(child.pid), 3)
        assert child.wait() == -9


@pytest.fixture
def private() -> Iterator[Path]:
    """A folder that only we can enter, as `mktemp -d` makes it."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def test_the_cache_is_where_the_user_says(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTO_LAB_CACHE", str(open_folder / "deep" / "down"))
    told = Told()
    assert cache_root(told) == (open_folder / "deep" / "down").resolve()
    assert told.lines == []


def test_a_cache_out_of_reach_is_replaced(
    private: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    """As root the servers are run as `nobody`, who cannot enter our folder; otherwise they can."""
    system = open_folder / "system"
    monkeypatch.setattr(places, "SYSTEM_CACHE", system)
    monkeypatch.setenv("OCTO_LAB_CACHE", str(private / "cache"))
    if os.geteuid() == 0:
        assert cache_root(told) == system.resolve()
        assert "out of reach" in told.text()
        assert str(system) in told.text()
    else:
        assert cache_root(told) == (private / "cache").resolve()
        assert told.lines == []


def test_a_folder_just_made_for_the_cache_is_opened(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    place = open_folder / "closed"
    place.mkdir(mode=0o700)
    monkeypatch.setenv("OCTO_LAB_CACHE", str(place))
    assert cache_root(told) == place.resolve()
    assert place.stat().st_mode & 0o777 == 0o711


def test_no_place_at_all_is_explained(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = open_folder / "a-file"
    file.touch()
    monkeypatch.setattr(places, "SYSTEM_CACHE", file / "system")
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(file))
    monkeypatch.setenv("OCTO_LAB_CACHE", str(file))
    with pytest.raises(StoresFailed, match="no directory") as failed:
        cache_root()
    assert "OCTO_LAB_CACHE" in failed.value.remedy
    assert str(file) in failed.value.details
