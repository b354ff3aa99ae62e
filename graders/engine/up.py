"""A lesson's service up on Docker Compose, for use by hand: its image, its data, then `compose.by_compose`."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from compose import by_compose, containers, engine, places
from compose.service_image import BuildFailed, Recipe, built
from compose.stores import FixedAddresses, StoresFailed
from graders.engine.dataset import dataset_of
from graders.engine.docker_rung import image_lists
from graders.engine.identity import refuse_compose
from graders.engine.processes import NoProcfile, read_procfile
from graders.engine.runtime import InstallFailed
from graders.engine.submission import Submission, lay
from labs.catalog import Lab

ALWAYS = ("postgres", "cache", "queue", "release", "web")


def up(lab: Lab, submission: Submission, say: Callable[[str], None]) -> str:
    """The service up and healthy; where it answers. Raises StoresFailed, or SubmissionRefused."""
    refuse_compose(lab)
    places.sweep()
    with (
        places.run_directory() as run,
        tempfile.TemporaryDirectory(dir=run.path) as tree,
        engine.connected() as client,
    ):
        lay(submission, lab, Path(tree))
        try:
            worker = ("worker",) if "worker" in read_procfile(Path(tree)) else ()
            files = {
                str(path.relative_to(tree)): path.read_bytes()
                for path in Path(tree).rglob("*")
                if path.is_file()
            }
            say("The image of the service")
            image = built(
                client, Recipe({**files, **image_lists(Path(tree))}, "service"), lab.budgets.install, say
            )
        except (NoProcfile, InstallFailed, BuildFailed) as error:
            raise StoresFailed(
                "The service cannot be built.", "Mend it, then the same command again.", str(error)
            ) from error
        say("The data of the lesson")
        data = containers.dataset_image(dataset_of(lab, say), run.path, say)
        by_compose.compose("down", "--volumes", capture=True)
        say("The containers")
        by_compose.up(
            (*ALWAYS, *worker),
            {"OCTO_LAB_SERVICE_IMAGE": image, "OCTO_LAB_DATASET_IMAGE": data, **_bases()},
            say,
        )
    return f"http://127.0.0.1:{os.environ.get('OCTO_LAB_WEB_PORT', FixedAddresses().web)}"


def _bases() -> dict[str, str]:
    return {variable: engine.image(name) for name, (variable, _) in engine.IMAGES.items()}
