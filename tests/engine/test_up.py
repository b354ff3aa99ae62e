"""`octo_lab up` and what goes with it, as a person uses them, on Docker Compose."""

import shutil
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from compose import engine
from compose.engine import Client
from compose.ports import candidates
from tests.engine.conftest import Door
from tests.engines import docker as docker
from tests.engines import missing

STORES = ("POSTGRES", "CACHE", "QUEUE", "WEB")


@pytest.fixture
def up(door: Door, docker: Client) -> Iterator[Door]:
    """The door, with ports and a project of its own; whatever is up at the end goes down."""
    if not shutil.which("docker"):
        missing("There is no docker command.")
    free = candidates()
    own = {f"OCTO_LAB_{name}_PORT": str(next(free)) for name in STORES}
    own |= {variable: engine.image(name) for name, (variable, _) in engine.IMAGES.items()}
    own["COMPOSE_PROJECT_NAME"] = f"octo_lab-tests-{own['OCTO_LAB_WEB_PORT']}"
    door = replace(door, env={**door.env, **own})
    yield door
    door("down")
    assert left(docker, own["COMPOSE_PROJECT_NAME"]) == []


def left(client: Client, project: str) -> list[str]:
    label = {"label": f"com.docker.compose.project={project}"}
    return [
        each.name
        for each in (*client.containers.list(all=True, filters=label), *client.volumes.list(filters=label))
    ]


def test_a_lesson_is_served_and_looked_into(up: Door, submission: Path) -> None:
    started = up("up", "lesson-01", "--submission", str(submission))
    assert started.returncode == 0, started.stderr
    web = f"http://127.0.0.1:{up.env['OCTO_LAB_WEB_PORT']}"
    assert web in started.stdout
    with urllib.request.urlopen(f"{web}/readyz", timeout=5) as answer:
        assert answer.status == 200
    assert up("psql", "--", "-Atc", "SELECT current_user").stdout == "billing_owner\n"
    assert "noeviction" in up("redis", "queue", "--", "CONFIG", "GET", "maxmemory-policy").stdout
    assert "allkeys-lru" in up("redis", "cache", "--", "CONFIG", "GET", "maxmemory-policy").stdout
    assert "ready" in up("logs", "postgres").stdout
    assert up("down").returncode == 0
    assert up("psql").returncode == 3


def test_a_service_that_dies_shows_its_last_words(up: Door, submission: Path) -> None:
    (submission / "Procfile").write_text("web: echo no table of mine; exit 7\n")
    started = up("up", "lesson-01", "--submission", str(submission))
    assert started.returncode == 3
    assert "web ended with exit code 7." in started.stderr
    assert "no table of mine" in started.stderr


def test_nothing_up_says_how_to_start(up: Door) -> None:
    asked = up("redis")
    assert asked.returncode == 3
    assert "Start it: octo_lab up LESSON" in asked.stderr
