"""What every test may use: a home of its own, so that no test reads or writes the learner's records."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def own_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts and hints of a test go to its own folder."""
    monkeypatch.setenv("OCTO_LAB_DATA", str(tmp_path / "records"))


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder for caches that the servers' user can pass through; pytest's own are closed to other users."""
    with tempfile.TemporaryDirectory(prefix="octo_lab-tests-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@pytest.fixture(scope="session", autouse=True)
def signals_as_in_a_terminal() -> None:
    """Whoever starts the tests in the background ignores some signals, and children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def no_foreign_options() -> None:
    """Options meant for this run must not reach the graders that the tests start."""
    for name in ("PYTEST_ADDOPTS", "OCTO_LAB_KIT"):
        os.environ.pop(name, None)
