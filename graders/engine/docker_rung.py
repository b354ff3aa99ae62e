"""The Docker rung of the ladder: each process type of the submission in a container of its own, in the grade's enclosure."""

import itertools
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compose.enclosure import APP, SCRATCH, USER, Enclosure
from compose.engine import connected, had, host
from compose.service_image import BuildFailed, Recipe, built, there
from graders.check import CannotJudge
from graders.engine.lifeline import end_group
from graders.engine.limits import LIMITS, limited
from graders.engine.pool import cores
from graders.engine.runtime import NETWORK, InstallFailed, locked_releases, named_releases, not_installed
from graders.engine.sandbox import Isolation

SUBMISSION = "submission"  # the kind of container
PYTHON = Path("/venv/bin")  # in the image
MOST_CPUS = 2
FAREWELL = 5.0

TEXT = "docker: own containers, no network but the stores', no capabilities, read-only root"


def pull(stores: frozenset[str], say: Callable[[str], None]) -> None:
    """Have the images that the stores and the service stand on. Raises StoresFailed."""
    with connected() as client:
        for name in {"postgres" if store == "postgres" else "redis" for store in stores} | {"python"}:
            had(client, name, say)


def dependencies(tree: Path, seconds: float, say: Callable[[str], None], *, install: bool) -> str:
    """The image with what the tree's lists name; if not `install`, one of an earlier grade.

    Raises InstallFailed, or StoresFailed where there is no engine.
    """
    recipe = Recipe(image_lists(tree), "dependencies")
    with connected() as client:
        if not install and not there(client, recipe):
            raise not_installed()
        try:
            return built(client, recipe, seconds, say)
        except BuildFailed as error:
            output = "\n".join(str(error).strip().splitlines()[-20:])
            machine = bool(NETWORK.search(output))
            remedy = "Check the network, then grade again." if machine else "Mend the list of requirements."
            raise InstallFailed(
                "The dependencies could not be installed.", remedy, output, machine=machine
            ) from error


def image_lists(tree: Path) -> dict[str, bytes]:
    """The lists of dependencies that an image is made by: releases alone. Raises InstallFailed."""
    files = {"requirements.txt": named_releases(tree / "requirements.txt")}
    if (tree / "package.json").is_file():
        locked_releases(tree / "package.json", tree / "package-lock.json")
        files |= {name: (tree / name).read_bytes() for name in ("package.json", "package-lock.json")}
    return files


@dataclass(frozen=True)
class Contained(Isolation):
    """Starts commands as containers. What we hold of one is the docker command that is attached to it."""

    enclosure: Enclosure | None = None
    image: str = ""
    folder: Path = Path()
    names: dict[int, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def start(
        self, command: Sequence[str], env: Mapping[str, str], **pipes: Any
    ) -> "subprocess.Popen[bytes]":
        assert self.enclosure is not None, "made by contained()"
        number = next(self.numbers)
        name = f"octo_lab-{self.enclosure.kept.run}-app-{number}"
        variables = self.folder / f"{number}.env"  # a file: arguments can be read by everybody
        variables.touch(mode=0o600)
        # docker-init passes signals on to the whole group, as an operator's shell would.
        told = {**env, "TINI_KILL_PROCESS_GROUP": "1"}
        variables.write_text("".join(f"{key}={value}\n" for key, value in told.items()))
        arguments = [
            *("docker", *(["--host", address] if (address := host()) else []), "run"),
            *("--name", name, "--env-file", str(variables)),
            *_options(self.enclosure),
            *("--entrypoint", "", self.image, *limited(command, count_processes=False)),
        ]
        process = subprocess.Popen(arguments, start_new_session=True, **pipes)
        self.names[process.pid] = name
        return process

    def signal(self, process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
        assert self.enclosure is not None, "made by contained()"
        with suppress(Exception):  # not there yet, or gone
            self.enclosure.client.api.kill(self.names[process.pid], number.name)

    def resident(self, process: "subprocess.Popen[bytes]") -> int:
        """As the engine counts it for the container, without the files that are in memory because they were read."""
        assert self.enclosure is not None, "made by contained()"
        try:
            told = self.enclosure.client.api.stats(self.names[process.pid], stream=False, one_shot=True)
            memory = told["memory_stats"]
            files = memory["stats"].get("inactive_file", memory["stats"].get("total_inactive_file", 0))
            return int(memory["usage"]) - int(files)
        except Exception as error:
            raise CannotJudge("The container to be measured is gone.", "Grade again.") from error

    def end(self, process: "subprocess.Popen[bytes]") -> None:
        """SIGKILL to the container; the command at it ends then by itself, with the container's exit code."""
        if process.poll() is None:
            self.signal(process, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                process.wait(FAREWELL)
        end_group(process.pid)


def contained(enclosure: Enclosure, image: str, tree: Path, folder: Path) -> Contained:
    """The submission's files in its quarters, and how to start it there. `folder`: for us alone."""
    enclosure.put(tree)
    folder.mkdir(mode=0o700)
    return Contained(TEXT, Path(APP), Path(SCRATCH), enclosure=enclosure, image=image, folder=folder)


def _options(enclosure: Enclosure) -> list[str]:
    """The walls of a container: nothing that a service needs is missing, nothing else is there."""
    labels = [f"--label={key}={value}" for key, value in enclosure.kept.labels(SUBMISSION).items()]
    volumes = [f"--volume={name}:{how['bind']}:{how['mode']}" for name, how in enclosure.volumes.items()]
    return [
        *labels,
        *volumes,
        f"--network={enclosure.network}",
        f"--user={USER}:{USER}",
        "--init",
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--ipc=private",
        "--log-driver=none",
        f"--workdir={APP}",
        f"--memory={LIMITS.memory}",
        f"--memory-swap={LIMITS.memory}",
        f"--pids-limit={LIMITS.processes}",
        f"--cpus={min(MOST_CPUS, cores())}",
        f"--ulimit=nofile={LIMITS.open_files}",
    ]
