"""Before a grade, while there is a network: lay the submission's files and install what they need."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from graders.check import Failure
from graders.engine.channel import Job
from graders.engine.installing import boxed
from graders.engine.phases import Phases
from graders.engine.runtime import InstallFailed, node_modules, python_environment
from graders.engine.sandbox import Ladder
from graders.engine.submission import lay
from graders.reports.model import Phase


@dataclass(frozen=True)
class Prepared:
    """What the grade finds made. `python` is the bin folder of an environment; `modules` a node_modules.

    image: on Docker, what the submission runs in instead of both.
    """

    tree_hash: str
    phases: tuple[Phase, ...]
    python: Path
    modules: Path | None
    image: str = ""

    def write(self, run_dir: Path) -> None:
        _file(run_dir).write_text(json.dumps(asdict(self), default=str))

    @staticmethod
    def read(run_dir: Path) -> "Prepared":
        data = json.loads(_file(run_dir).read_text())
        phases = tuple(Phase(**phase) for phase in data["phases"])
        modules = Path(data["modules"]) if data["modules"] else None
        return Prepared(data["tree_hash"], phases, Path(data["python"]), modules, data["image"])


def tree_of(run_dir: Path) -> Path:
    """The submission's files as they were handed in; what runs is a copy."""
    return run_dir / "tree"


def lay_files(job: Job, phases: Phases) -> str:
    """Lay the files and return their hash. Raises SubmissionRefused."""
    with phases("files"):
        tree = tree_of(job.run_dir)
        tree.mkdir(mode=0o700)
        return lay(job.submission, job.lab, tree)


def install(
    job: Job, phases: Phases, ladder: Ladder, say: Callable[[str], None]
) -> tuple[Path, Path | None, str]:
    """The Python environment and the node_modules, or the image that holds them on Docker.

    Raises Failure for a list that cannot be met, or InstallFailed.
    """
    lab, tree, run = job.lab, tree_of(job.run_dir), boxed(ladder)
    if job.on == "docker":
        from graders.engine.docker_rung import PYTHON, dependencies, pull  # only this needs it

        with phases("images"):
            pull(lab.stores, say)
    with phases("install"):
        if (
            lab.dataset
        ):  # the dataset is built by the reference's migrations, when there is no network any more
            python_environment(lab.reference / "requirements.txt", run=run)
        try:
            seconds = lab.budgets.install
            if job.on == "docker":
                return PYTHON, None, dependencies(tree, seconds, say, install=job.install)
            python = python_environment(
                tree / "requirements.txt", seconds=seconds, install=job.install, run=run
            )
            modules = None
            if (tree / "package.json").is_file():
                modules = node_modules(tree, seconds=seconds, install=job.install, run=run)
        except InstallFailed as error:
            if error.machine:
                raise
            raise Failure(
                did=f"octo_lab run {lab.id}",
                expected="The dependencies named in requirements.txt or package.json can be installed.",
                got=f"{error.problem}\n{error.output}",
                because="What cannot be installed cannot be deployed.",
            ) from error
    return python, modules, ""


def _file(run_dir: Path) -> Path:
    return run_dir / "prepared.json"
