"""Stores as a run gets them: up, private, and gone afterwards, however the run ends."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from threading import Thread
from typing import TypeVar

import psutil
import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from compose import embedded, ports, postgres, processes
from compose.places import RunDirectory, sweep
from compose.spawning import parent_death
from compose.stores import FixedAddresses, StoresFailed
from tests.compose.conftest import CACHE, EVERYTHING, POSTGRES, Told, stores

T = TypeVar("T")


def recorded(run: RunDirectory) -> list[psutil.Process]:
    """All servers of the run with their children."""
    lines = (run.path / "processes").read_text().splitlines()
    living = [
        psutil.Process(int(line.split()[0])) for line in lines if psutil.pid_exists(int(line.split()[0]))
    ]
    return [process for head in living for process in (head, *head.children(recursive=True))]


def of_living(run: RunDirectory, look: Callable[[psutil.Process], T]) -> list[T]:
    """What `look` sees of each process; Postgres ends helpers of its own while we look."""
    found = []
    for process in recorded(run):
        with suppress(psutil.NoSuchProcess):
            found.append(look(process))
    return found


def still_there(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def test_everything_comes_up(cache: Path) -> None:
    with stores(EVERYTHING) as up:
        assert up.postgres
        with psycopg.connect(up.postgres.url(up.postgres.app)) as session:
            assert session.execute("SELECT 1").fetchone() == (1,)
        for server in (up.cache, up.queue):
            assert server
            with redis.Redis.from_url(server.url()) as client:
                assert client.set("key", "value")
        assert set(up.versions()) == {"postgres", "cache", "queue"}


def test_the_cache_forgets_and_the_queue_does_not(cache: Path) -> None:
    with stores(frozenset({"cache", "queue"})) as up:
        assert up.cache
        assert up.queue
        assert up.postgres is None
        with redis.Redis.from_url(up.cache.url(), decode_responses=True) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}
            assert client.config_get("appendonly") == {"appendonly": "no"}
        with redis.Redis.from_url(up.queue.url(), decode_responses=True) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.config_set("dir", "/tmp")
        once = Retry(NoBackoff(), 0)
        with (
            redis.Redis(port=up.queue.port, retry=once) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()


def test_only_loopback_is_served(run: RunDirectory) -> None:
    with embedded.start(EVERYTHING, None, run.path, record=run.record):
        connections = of_living(run, lambda process: process.net_connections())
        unix = of_living(run, lambda process: process.net_connections("unix"))
    listening = {each.laddr.ip for each in chain(*connections) if each.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
    assert not [each for each in chain(*unix) if each.laddr]


def test_no_password_stands_in_arguments_environment_or_logs(run: RunDirectory) -> None:
    with embedded.start(EVERYTHING, None, run.path, record=run.record) as up:
        assert up.postgres
        assert up.cache
        assert up.queue
        logins = (up.postgres.grader, up.postgres.owner, up.postgres.app)
        passwords = [*(login.password for login in logins), up.cache.password, up.queue.password]
        assert len(set(passwords)) == 5
        seen = of_living(run, lambda process: f"{process.cmdline()} {process.environ()}")
        seen += [log.read_text() for log in (up.postgres.log, up.cache.log, up.queue.log)]
        assert not [text for text in seen for password in passwords if password in text]
        assert not [text for text in seen if "OCTO_LAB" in text]
        assert up.postgres.log.stat().st_mode & 0o077 == 0
        assert (run.path / "stores").stat().st_mode & 0o077 == 0


def test_every_run_has_its_own_data_and_passwords(cache: Path) -> None:
    with stores(POSTGRES) as one, stores(POSTGRES) as other:
        assert one.postgres
        assert other.postgres
        with psycopg.connect(one.postgres.url(one.postgres.owner)) as session:
            session.execute("CREATE TABLE mine (id int)")
        with psycopg.connect(other.postgres.url(other.postgres.owner)) as session:
            assert session.execute("SELECT to_regclass('mine')").fetchone() == (None,)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(other.postgres.url(one.postgres.app))


@pytest.mark.parametrize("ending", [None, RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_however_it_ends(run: RunDirectory, ending: type[BaseException] | None) -> None:
    family: list[psutil.Process] = []

    def body() -> None:
        with embedded.start(EVERYTHING, None, run.path, record=run.record) as up:
            family.extend(recorded(run))
            assert up.postgres
            psycopg.connect(up.postgres.url(up.postgres.app)).close()
            if ending:
                raise ending

    if ending:
        with pytest.raises(ending):
            body()
    else:
        body()
    assert len(family) > 5
    assert not still_there(family)
    assert not (run.path / "stores").exists()


def test_a_server_that_was_killed_leaves_nothing_either(run: RunDirectory) -> None:
    with embedded.start(POSTGRES, None, run.path, record=run.record):
        family = recorded(run)
        family[0].kill()
    assert not still_there(family)


DYING_STARTER = """
import os, signal
from compose.embedded import start
from compose.places import run_directory
wanted = frozenset({"postgres", "cache", "queue"})
with run_directory() as run, start(wanted, None, run.path, record=run.record):
    print(*(line.split()[0] for line in open(run.path / "processes")), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_nothing_is_left_of_one_who_was_killed(cache: Path) -> None:
    died = subprocess.run([sys.executable, "-c", DYING_STARTER], capture_output=True, text=True)
    pids = [int(pid) for pid in died.stdout.split()]
    assert len(pids) == 3
    if not parent_death(signal.SIGKILL):  # else the kernel tells them
        sweep()
    left = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    assert not processes.remaining(left, 5)
    sweep()


def test_they_start_outside_the_main_thread_too(run: RunDirectory) -> None:
    versions: dict[str, str] = {}

    def body() -> None:
        with embedded.start(CACHE, None, run.path, record=run.record) as up:
            versions.update(up.versions())

    thread = Thread(target=body)
    thread.start()
    thread.join()
    assert versions


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another process has."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_promised_addresses_are_kept_when_they_can_be(cache: Path, taken: int, told: Told) -> None:
    free = next(ports.candidates())
    with stores(frozenset({"cache", "queue"}), say=told, fixed=FixedAddresses(cache=free, queue=taken)) as up:
        assert up.cache
        assert up.queue
        assert (up.cache.port, up.cache.password) == (free, "octo_lab")
        assert up.queue.port != taken
    assert told.lines == [f"Port {taken} is busy; another one is used."]


def test_a_port_lost_at_the_last_moment_is_replaced(
    cache: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidates = ports.candidates
    monkeypatch.setattr(ports, "candidates", lambda: iter([taken, next(candidates())]))
    for wanted in (CACHE, POSTGRES):
        with stores(wanted) as up:
            server = up.cache or up.postgres
            assert server
            assert server.port != taken


def test_a_server_that_does_not_come_up_has_the_last_word(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stores(POSTGRES):
        pass
    monkeypatch.setattr(postgres, "SETTINGS", postgres.SETTINGS + "work_mem = 'a lot'\n")
    with (
        pytest.raises(StoresFailed, match="Postgres stopped while it was starting") as failed,
        stores(POSTGRES),
    ):
        pass
    assert 'invalid value for parameter "work_mem"' in failed.value.details
    assert failed.value.remedy


def test_the_settings_that_make_counting_repeatable(cache: Path) -> None:
    expected = {
        "autovacuum": "off",
        "data_checksums": "on",
        "fsync": "off",
        "full_page_writes": "off",
        "jit": "off",
        "max_parallel_workers_per_gather": "0",
        "TimeZone": "UTC",
        "server_encoding": "UTF8",
    }
    with stores(POSTGRES) as up:
        assert up.postgres
        with psycopg.connect(up.postgres.url(up.postgres.app)) as session:
            rows = session.execute(
                "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(expected)]
            )
            assert dict(rows.fetchall()) == expected
