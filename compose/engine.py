"""The Docker engine: reached, or said why not; images had, and everything of the kit's on it found again."""

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compose.stores import StoresFailed

# Labels: of a run's containers and volumes, and of images that are kept for the next run.
RUN, HOME, KIND = "octo_lab.run", "octo_lab.home", "octo_lab.kind"
IMAGE = "octo_lab.image"

MARK = "docker"  # a file in a run's directory: the run has something on an engine

OLDEST = (1, 41)  # Docker 20.10, the engine of Debian 12

STAND_INS = "Where no registry can be reached, build stand-ins: compose/images/build.sh (see docs/docker.md)."

IMAGES = {
    "postgres": ("OCTO_LAB_POSTGRES_IMAGE", "postgres:18.1-trixie"),
    "redis": ("OCTO_LAB_REDIS_IMAGE", "redis:8.2-trixie"),
    "python": ("OCTO_LAB_PYTHON_IMAGE", "python:3.13-slim-trixie"),
    "node": ("OCTO_LAB_NODE_IMAGE", "node:22-trixie-slim"),
}

# docker-py has no types of its own.
Client = Any
Container = Any


def image(name: str) -> str:
    """The image that `name` stands for: a pinned official one, or what its variable says."""
    variable, official = IMAGES[name]
    return os.environ.get(variable) or official


@contextmanager
def connected() -> Iterator[Client]:
    """A client of the engine that DOCKER_HOST or the current context names. Raises StoresFailed with what to do."""
    try:
        import docker
    except ImportError as error:
        raise StoresFailed(
            "The Python package for Docker is not installed.", "Install the kit again: make .venv/kit"
        ) from error
    try:
        client = docker.DockerClient(base_url=host(), timeout=120)
    except docker.errors.DockerException as error:
        raise _unreachable(error) from error
    try:
        version = client.version()["ApiVersion"]
        if tuple(map(int, version.split("."))) < OLDEST:
            raise StoresFailed(
                f"The Docker engine is too old: its API is {version}.",
                "Install Docker 20.10 or later, or leave --on docker away.",
            )
        yield client
    except docker.errors.APIError as error:
        raise StoresFailed("Docker refused.", _remedy(str(error)), str(error)) from error
    finally:
        client.close()


def host() -> str | None:
    """Where the engine is: DOCKER_HOST, or the context that the docker command uses (Docker Desktop makes one)."""
    from docker.context import ContextAPI

    if told := os.environ.get("DOCKER_HOST"):
        return told
    context = ContextAPI.get_current_context()
    return str(context.Host) if context and context.Host else None


def _unreachable(error: Exception) -> StoresFailed:
    text = str(error)
    if "Permission denied" in text:
        return StoresFailed(
            "You may not talk to the Docker engine.",
            "Join the group docker (sudo usermod -aG docker $USER), log in anew, or leave --on docker away.",
        )
    return StoresFailed(
        "No Docker engine answers.",
        "Start Docker (systemctl start docker, or Docker Desktop), or leave --on docker away.",
        text,
    )


def _remedy(text: str) -> str:
    if "no space left" in text.lower():
        return "The disk of the Docker engine is full: `octo_lab doctor --clean`, or docker system prune."
    return "Run the command again; `docker info` shows how the engine is."


def had(client: Client, name: str, say: Callable[[str], None]) -> str:
    """The id of the image that `name` stands for, pulled if it is not there. Raises StoresFailed."""
    import docker

    reference = image(name)
    with suppress(docker.errors.ImageNotFound):
        return str(client.images.get(reference).id)
    say(f"Pulling {reference} (once)")
    try:
        told = client.api.pull(*_named(reference))  # not as a stream: the SDK leaves a refused one open
    except docker.errors.APIError as error:
        raise StoresFailed(f"The image {reference} cannot be pulled.", STAND_INS, str(error)) from error
    refused = [line for line in told.splitlines() if '"error"' in line]
    if refused:
        raise StoresFailed(f"The image {reference} cannot be pulled.", STAND_INS, refused[0])
    return str(client.images.get(reference).id)


def _named(reference: str) -> tuple[str, str]:
    repository, _, tag = reference.rpartition(":")
    return (repository, tag) if repository and "/" not in tag else (reference, "latest")


@dataclass(frozen=True)
class Kept:
    """Whose is what stands on the engine: the run of that name, of the cache directory whose hash is `home`."""

    run: str
    home: str

    def labels(self, kind: str) -> dict[str, str]:
        """`kind` says what it is in its run."""
        return {RUN: self.run, HOME: self.home, KIND: kind}


def kept(run_dir: Path) -> Kept:
    """For a run's directory, which stands in the cache."""
    return Kept(run_dir.name, hashlib.sha256(bytes(run_dir.resolve().parent)).hexdigest()[:16])


def remove_run(client: Client, run: Kept) -> None:
    """Remove every container and volume of the run, whatever state it is in; nothing else is touched."""
    import docker

    mine = {"label": [f"{RUN}={run.run}", f"{HOME}={run.home}"]}
    # One that was being made while we looked is found by the second look.
    for _ in range(3):
        found = client.api.containers(all=True, filters=mine)
        if not found:
            break
        with ThreadPoolExecutor(4) as pool:
            for each in found:
                pool.submit(_removed, client, each["Id"])
    for volume in client.volumes.list(filters=mine):
        with suppress(docker.errors.APIError):
            volume.remove(force=True)


def _removed(client: Client, id: str) -> None:
    import docker

    with suppress(docker.errors.APIError):  # gone already, or going
        client.api.remove_container(id, force=True, v=True)


def swept(run_dir: Path) -> bool:
    """Remove what a dead run left; False where the engine cannot be asked now. A run without a mark left nothing."""
    if not (run_dir / MARK).exists():
        return True
    try:
        with connected() as client:
            remove_run(client, kept(run_dir))
    except StoresFailed:
        return False
    return True


def lost(client: Client, runs: Path) -> int:
    """Remove what belongs to runs of this cache whose directories are gone; how many runs there were."""
    home = kept(runs / "any").home
    found = {
        each["Labels"][RUN] for each in client.api.containers(all=True, filters={"label": f"{HOME}={home}"})
    }
    gone = [name for name in found if not (runs / name).exists()]
    for name in gone:
        remove_run(client, Kept(name, home))
    return len(gone)


def clean(client: Client) -> int:
    """Throw away the images that the kit made and no container uses; the bytes that they took."""
    import docker

    freed = 0
    for each in client.images.list(filters={"label": IMAGE}):
        with suppress(docker.errors.APIError):  # in use
            client.images.remove(each.id)
            freed += int(each.attrs["Size"])
    return freed
