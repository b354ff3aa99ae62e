"""Stores on a Docker engine: the same as the embedded ones, kept apart, and gone afterwards."""

import gc
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from compose import containers, engine
from compose.engine import Client
from compose.places import RunDirectory, run_directory, sweep
from compose.stores import Dataset, StoreName, Stores, StoresFailed
from tests.compose.conftest import EVERYTHING, POSTGRES, Numbers, logged
from tests.engines import docker as docker


@contextmanager
def stores(
    wanted: frozenset[StoreName], dataset: Dataset | None = None
) -> Iterator[tuple[Stores, RunDirectory]]:
    with (
        run_directory() as run,
        containers.start(wanted, dataset, run.path, record=run.record, say=print) as up,
    ):
        yield up, run


def left(client: Client, run: RunDirectory) -> list[str]:
    """Names of what the run has on the engine."""
    label = {"label": f"{engine.RUN}={run.path.name}"}
    return [each.name for each in client.containers.list(all=True, filters=label)] + [
        each.name for each in client.volumes.list(filters=label)
    ]


def test_the_same_stores_come_up_and_nothing_is_left(docker: Client, cache: Path) -> None:
    with stores(EVERYTHING) as (up, run):
        assert up.postgres
        with psycopg.connect(up.postgres.url(up.postgres.app)) as session:
            assert session.execute("SELECT current_user, current_database()").fetchone() == (
                "billing_app",
                "billing",
            )
        assert up.cache
        assert up.queue
        with redis.Redis.from_url(up.cache.url(), decode_responses=True) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}
        with redis.Redis.from_url(up.queue.url(), decode_responses=True) as client:
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            with pytest.raises(redis.ResponseError, match="no permissions"):
                client.config_set("dir", "/tmp")
        assert set(up.versions()) == {"postgres", "cache", "queue"}
        assert up.fallen() is None
        assert len(left(docker, run)) == 10
    assert left(docker, run) == []


def test_the_app_changes_rows_and_no_structure(docker: Client, cache: Path) -> None:
    with stores(POSTGRES, Numbers().dataset()) as (up, _):
        assert up.postgres
        with psycopg.connect(up.postgres.url(up.postgres.app), autocommit=True) as session:
            session.execute("INSERT INTO numbers VALUES (0)")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute("CREATE TABLE mine (n int)")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute("COPY numbers TO PROGRAM 'id'")


def test_a_dataset_is_built_once_and_every_run_has_its_own_copy(docker: Client, cache: Path) -> None:
    numbers = Numbers()
    try:
        for _ in range(2):
            with stores(POSTGRES, numbers.dataset()) as (up, _run):
                assert up.postgres
                with psycopg.connect(up.postgres.url(up.postgres.owner), autocommit=True) as session:
                    assert session.execute("DELETE FROM numbers").rowcount == 1000
                with pytest.raises(psycopg.OperationalError):
                    psycopg.connect(
                        up.postgres.url(up.postgres.grader).replace(up.postgres.grader.password, "octo")
                    )
        assert numbers.built == 1
    finally:
        for image in docker.images.list(filters={"label": "octo_lab.dataset"}):
            if image.labels["octo_lab.dataset"] == _name(docker, numbers):
                docker.images.remove(image.id, force=True)


def _name(client: Client, numbers: Numbers) -> str:
    from compose.dataset_cache import name_of

    return name_of(numbers.dataset(), engine.had(client, "postgres", print))


def test_the_servers_log_is_there_to_be_read(docker: Client, cache: Path) -> None:
    with stores(EVERYTHING) as (up, _):
        assert up.postgres
        assert up.cache
        with psycopg.connect(up.postgres.url(up.postgres.app)) as session:
            session.execute("SELECT 4711")
        assert logged(up.postgres.log, "SELECT 4711")
        assert logged(up.cache.log, "Ready to accept connections")


def test_a_server_that_dies_is_told_with_its_exit_code(docker: Client, cache: Path) -> None:
    with stores(EVERYTHING) as (up, run):
        docker.containers.get(f"octo_lab-{run.path.name}-queue").kill()
        fallen = up.fallen()
        assert fallen
        assert fallen.problem == "The queue died during the grade (exit code 137)."
        assert "Ready to accept connections" in fallen.details


def test_what_a_killed_run_left_goes_with_the_next(docker: Client, cache: Path) -> None:
    program = (
        "from compose import containers; from compose.places import run_directory\n"
        "with run_directory() as run, containers.start(frozenset({'cache'}), None, run.path, record=run.record):\n"
        "    print(run.path.name, flush=True); import time; time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout
        name = killed.stdout.readline().strip()
        killed.send_signal(signal.SIGKILL)
    run = RunDirectory(cache / "runs" / name)
    assert left(docker, run)
    with stores(frozenset({"cache"})) as (_, living):
        assert sweep() == [name]
        assert left(docker, run) == []
        assert left(docker, living), "a living run keeps what it has"


def test_other_peoples_containers_are_left_alone(
    docker: Client, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
    from testcontainers.core.container import DockerContainer

    image, options = (
        engine.image("redis"),
        {"entrypoint": "redis-server", "labels": {"octo": "somebody's own"}},
    )
    with DockerContainer(image).with_kwargs(**options) as other:
        with stores(frozenset({"cache"})):
            pass
        sweep()
        container = other.get_wrapped_container()
        container.reload()
        assert container.status == "running"


# The SDK leaves the socket open that it could not connect.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_without_an_engine_it_says_what_to_do(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path / 'nobody.sock'}")
    with pytest.raises(StoresFailed) as caught, stores(EVERYTHING):
        pass
    assert caught.value.problem == "No Docker engine answers."
    assert "--on docker" in caught.value.remedy
    del caught
    gc.collect()


def test_without_a_registry_it_names_the_stand_ins(
    docker: Client, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCTO_LAB_REDIS_IMAGE", "127.0.0.1:1/none/redis:1")
    with pytest.raises(StoresFailed) as caught, stores(EVERYTHING):
        pass
    assert caught.value.problem == "The image 127.0.0.1:1/none/redis:1 cannot be pulled."
    assert "compose/images/build.sh" in caught.value.remedy


def test_what_a_run_could_not_take_down_in_time_goes_with_its_directory(docker: Client, cache: Path) -> None:
    with run_directory() as run:
        (run.path / engine.MARK).touch()
        docker.containers.create(
            engine.image("redis"), "redis-server", labels=engine.kept(run.path).labels("cache")
        )
        assert left(docker, run)
    assert left(docker, run) == []
    assert not run.path.exists()
