"""Docker Compose by the kit's own file: up until healthy, down, logs, and the stores' own clients."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from compose.stores import StoresFailed

FILE = Path(__file__).with_name("compose.yaml")
HEALTHY_WITHIN = 120.0
TOLD = 15  # last lines of a container that died

NO_COMPOSE = "Install the plugin docker-compose-plugin (on Debian: docker-compose), version 2."


@dataclass(frozen=True)
class State:
    """One container as `docker compose ps` tells it."""

    service: str
    name: str
    state: str
    health: str
    code: int

    @property
    def failed(self) -> bool:
        return (
            self.state == "exited" and (self.code != 0 or self.service != "release")
        ) or self.state == "dead"

    @property
    def ready(self) -> bool:
        if self.service == "release":
            return self.state == "exited" and self.code == 0
        healthy = self.service == "worker" or self.health == "healthy"  # the others have a health check
        return self.state == "running" and healthy


def compose(
    *words: str, variables: Mapping[str, str] | None = None, capture: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run docker compose on the kit's file. Raises StoresFailed where there is no such program."""
    plain = [] if sys.stdout.isatty() else ["--ansi", "never"]
    try:
        done = subprocess.run(
            ["docker", "compose", *plain, "--file", str(FILE), "--profile", "worker", *words],
            env={**os.environ, **(variables or {})},
            stdout=subprocess.PIPE if capture else None,
            stderr=subprocess.PIPE if capture else None,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise StoresFailed("There is no docker command.", "Install Docker.") from error
    if "compose" in (done.stderr or "") and "unknown command" in (done.stderr or ""):
        raise StoresFailed("Docker has no compose.", NO_COMPOSE)
    return done


def up(services: Sequence[str], variables: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Start the services and wait until all are healthy. Raises StoresFailed with a dying container's last lines."""
    started = compose(
        "up", "--detach", "--no-build", "--force-recreate", *services, variables=variables, capture=True
    )
    found = states()
    if failed := next((each for each in found if each.failed), None):
        raise failure(failed)
    if started.returncode:
        words = "\n".join(started.stderr.strip().splitlines()[-TOLD:])
        raise StoresFailed("Docker Compose could not start the containers.", _remedy(words), words)
    say("Waiting until all are healthy")
    deadline = time.monotonic() + HEALTHY_WITHIN
    while not {*services} <= {each.service for each in found if each.ready}:
        if failed := next((each for each in found if each.failed), None):
            raise failure(failed)
        if time.monotonic() > deadline:
            late = next((each for each in found if not each.ready), found[0])
            raise failure(late, f"was not healthy after {HEALTHY_WITHIN:.0f} s")
        time.sleep(0.3)
        found = states()


def states() -> list[State]:
    """What stands of the project, whatever its state."""
    told = compose("ps", "--all", "--format", "json", capture=True).stdout
    entries = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    return [
        State(entry["Service"], entry["Name"], entry["State"], entry["Health"], int(entry["ExitCode"]))
        for entry in entries
    ]


def failure(state: State, what: str = "") -> StoresFailed:
    """What to raise for a container that died: its exit code, whether memory was short, its last lines."""
    words = _docker("logs", "--tail", str(TOLD), state.name)
    short = _docker("inspect", "--format", "{{.State.OOMKilled}}", state.name).strip() == "true"
    what = what or ("ran out of memory" if short else f"ended with exit code {state.code}")
    remedy = "Give Docker more memory, or close other programs." if short else _remedy(words)
    if state.service in ("release", "web", "worker") and not short:
        remedy = "The service itself failed: mend it, then the same command again. `octo_lab logs` shows all."
    return StoresFailed(f"{state.service} {what}.", remedy, words)


def _docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _remedy(words: str) -> str:
    if "port is already allocated" in words or "address already in use" in words:
        return "Another program has the port: end it, or set OCTO_LAB_WEB_PORT, OCTO_LAB_POSTGRES_PORT, OCTO_LAB_CACHE_PORT or OCTO_LAB_QUEUE_PORT."
    if "pull" in words or "registry" in words or "No such image" in words:
        return "The images cannot be had: see docs/docker.md for machines without a registry."
    return "`octo_lab logs` shows all; `octo_lab down`, then the same command again, starts from nothing."


def inside(service: str, *command: str) -> int:
    """Run a command in a container that is up, on this terminal if it is one; its exit code, 3 if nothing is up."""
    if not any(each.service == service and each.state == "running" for each in states()):
        raise StoresFailed(f"{service} is not up.", "Start it: octo_lab up LESSON")
    terminal = [] if sys.stdin.isatty() and sys.stdout.isatty() else ["--no-TTY"]
    return compose("exec", *terminal, service, *command).returncode
