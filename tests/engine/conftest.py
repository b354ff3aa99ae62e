"""A kit with one tiny lesson: a grade of it takes a second, so that the engine itself can be tested whole."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from labs.catalog import Lab, find

MINI_KIT = Path(__file__).parent / "mini_kit"
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """A copy of the mini kit that a test may change."""
    return Path(shutil.copytree(MINI_KIT, tmp_path / "kit"))


@pytest.fixture
def lab(kit: Path) -> Lab:
    return find("1", kit)


@pytest.fixture
def submission(lab: Lab, tmp_path: Path) -> Path:
    """A learner's folder that passes: the reference's own file."""
    folder = tmp_path / "submission"
    folder.mkdir()
    shutil.copy(lab.reference / "web.py", folder)
    return folder


@dataclass(frozen=True)
class Door:
    """octo_lab as a person runs it, on the mini kit, with a cache of its own."""

    kit: Path
    cache: Path
    records: Path
    env: dict[str, str] = field(default_factory=dict)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-P", str(REPOSITORY / "octo_lab.py"), *arguments]

    def environment(self) -> dict[str, str]:
        own = {
            "OCTO_LAB_KIT": str(self.kit),
            "OCTO_LAB_CACHE": str(self.cache),
            "OCTO_LAB_DATA": str(self.records),
            "PYTHONPATH": str(REPOSITORY),
            "COLUMNS": "80",
        }
        return {"PATH": os.environ["PATH"], "HOME": str(self.records), "LANG": "C.UTF-8"} | own | self.env

    def __call__(self, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*arguments),
            env=self.environment(),
            cwd=self.kit,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    @contextmanager
    def begun(self, *arguments: str, until: str) -> "Iterator[subprocess.Popen[str]]":
        """The command under way, read up to the first line that begins with `until`; both outputs in one."""
        process = subprocess.Popen(
            self.command(*arguments),
            env=self.environment() | {"PYTHONUNBUFFERED": "1"},
            cwd=self.kit,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process, bounded(process):
            assert process.stdout is not None, "started with a pipe"
            seen = ""
            for line in process.stdout:
                seen += line
                if line.startswith(until):
                    break
            else:
                raise AssertionError(f"it ended before {until!r}: {seen}")
            try:
                yield process
            finally:
                process.kill()

    def processes(self) -> list[psutil.Process]:
        """Everything that works inside this door's cache: keepers, conductors, stores, services."""
        return [p for p in psutil.process_iter() if self._inside(p)]

    def _inside(self, process: psutil.Process) -> bool:
        try:
            return Path(process.cwd()).is_relative_to(self.cache) and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            return False


@contextmanager
def bounded(process: "subprocess.Popen[str]", seconds: float = 60) -> Iterator[None]:
    """A test that waits for a line that never comes fails instead of hanging."""
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@pytest.fixture
def door(kit: Path, tmp_path: Path, open_folder: Path) -> Door:
    cache = open_folder / f"cache-{os.getpid()}"
    cache.mkdir(exist_ok=True)
    return Door(kit, cache.resolve(), tmp_path / "records")


@pytest.fixture
def write() -> Callable[[Path, str], Path]:
    """Write a file, its folders made."""

    def write_it(path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write_it
