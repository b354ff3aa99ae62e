"""Real stores for the tests of `compose`: one cache for most, an empty one for those that change it."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from compose.embedded import start
from compose.places import RunDirectory, run_directory
from compose.stores import Dataset, FixedAddresses, PostgresServer, StoreName, Stores

EVERYTHING: frozenset[StoreName] = frozenset({"postgres", "cache", "queue"})
POSTGRES: frozenset[StoreName] = frozenset({"postgres"})
CACHE: frozenset[StoreName] = frozenset({"cache"})


@dataclass
class Told:
    """What `say` was told."""

    lines: list[str] = field(default_factory=list)

    def __call__(self, line: str) -> None:
        self.lines.append(line)

    def text(self) -> str:
        return "\n".join(self.lines)


@dataclass
class Numbers:
    """A small dataset that counts how often it was built."""

    key: str = field(default_factory=lambda: secrets.token_hex(4))
    built: int = 0
    file: str = ""  # where the numbers stand, relative to the data directory

    def dataset(self) -> Dataset:
        return Dataset(self.key, self.fill)

    def fill(self, server: PostgresServer) -> None:
        self.built += 1
        with psycopg.connect(server.url(server.owner)) as session:
            session.execute("CREATE TABLE numbers AS SELECT n FROM generate_series(1, 1000) n")
            (self.file,) = session.execute("SELECT pg_relation_filepath('numbers')").fetchone() or ("",)


Start = Callable[..., AbstractContextManager[Stores]]


@pytest.fixture(scope="session")
def shared_cache(open_folder: Path) -> Path:
    return open_folder / "shared"


@pytest.fixture
def cache(shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of most tests; what one test builds is there for the next."""
    monkeypatch.setenv("OCTO_LAB_CACHE", str(shared_cache))
    return shared_cache


@pytest.fixture
def own_cache(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for one test."""
    place = open_folder / secrets.token_hex(4)
    monkeypatch.setenv("OCTO_LAB_CACHE", str(place))
    return place


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def run(cache: Path) -> Iterator[RunDirectory]:
    with run_directory() as directory:
        yield directory


def logged(log: Path, text: str, seconds: float = 30.0) -> bool:
    """Whether the log comes to have it: a process of its own writes it."""
    deadline = time.monotonic() + seconds
    while text not in log.read_text():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def stores(
    wanted: frozenset[StoreName],
    dataset: Dataset | None = None,
    say: Callable[[str], None] = print,
    fixed: FixedAddresses | None = None,
) -> Iterator[Stores]:
    """Stores in a run directory of their own, in whichever cache is set."""
    with (
        run_directory() as run,
        start(wanted, dataset, run.path, record=run.record, say=say, fixed=fixed) as up,
    ):
        yield up


@pytest.fixture(scope="module")
def postgres(shared_cache: Path) -> Iterator[PostgresServer]:
    """A Postgres for tests that only look, one for each module."""
    with pytest.MonkeyPatch.context() as patched, ExitStack() as stack:
        patched.setenv("OCTO_LAB_CACHE", str(shared_cache))
        up = stack.enter_context(stores(POSTGRES))
        assert up.postgres
        yield up.postgres
