"""The kit as a contender: `octo_lab grade --reference` as a person runs it, and once with its requests written down."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from compose import dataset_cache
from compose.dataset_cache import Making
from compose.identity import stores_identity
from compose.places import RunDirectory
from compose.reachable import postgres_programs, valkey_program
from graders.engine.dataset import dataset_of
from graders.engine.runtime import python_environment
from labs.catalog import Lab
from tests.benchmarks.plan import Plan

REPOSITORY = Path(__file__).parents[2]
OCTO_LAB = str(Path(sys.executable).with_name("octo_lab"))
RECORDED_WEB = Path(__file__).with_name("recorded_web.py")

# One seed for all grades of a benchmark: they ask the same questions.
SEED = "5"


class NotPassed(Exception):
    """The reference did not pass: then its grade did less, or other, work than it should."""


@dataclass(frozen=True)
class Kit:
    """The command line of this repository, with records of its own so that no attempt of the user's is touched."""

    lab: Lab
    records: Path
    path: str = field(default_factory=lambda: os.environ["PATH"])

    def command(self, *options: str) -> list[str]:
        return [OCTO_LAB, "grade", self.lab.id, "--seed", SEED, "--json", *options]

    def env(self) -> dict[str, str]:
        return {**os.environ, "OCTO_LAB_DATA": str(self.records), "PATH": self.path}

    def grade(self, *options: str) -> dict[str, Any]:
        """The report of one grade. Raises NotPassed."""
        with running_grade(self, *options) as process:
            output, _ = process.communicate()
        return report_of(output)


def _first_not_passed(report: dict[str, Any]) -> str:
    check = next(check for check in report["checks"] if check["verdict"] != "pass")
    got = check["failure"]["got"] if check["failure"] else check["note"]
    return f"{check['id']}: {check['verdict']}, {got}"


@contextmanager
def running_grade(kit: Kit, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """A grade under way; when the body is left early it is asked to end, and clears up after itself."""
    with running(kit, kit.command(*options)) as process:
        yield process


@contextmanager
def running(kit: Kit, command: Sequence[str]) -> Iterator["subprocess.Popen[str]"]:
    """A command of the kit under way, its standard output in a pipe."""
    process = subprocess.Popen(command, env=kit.env(), cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()


def report_of(output: str) -> dict[str, Any]:
    """The report in a grade's output. Raises NotPassed."""
    report: dict[str, Any] = json.loads(output)
    if report["verdict"] != "pass":
        raise NotPassed(
            f"The grade says {report['verdict']}. {report['trouble'] or _first_not_passed(report)}"
        )
    return report


def record_traffic(kit: Kit, folder: Path) -> Path:
    """Grade the reference with a `web` process that writes down its requests; the file with them."""
    tree, traffic = folder / "submission", folder / "traffic.jsonl"
    shutil.copytree(kit.lab.reference, tree, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(RECORDED_WEB, tree)
    traffic.touch()
    traffic.chmod(0o666)  # the service may run as another user
    procfile = (tree / "Procfile").read_text()
    web = f"python {RECORDED_WEB.name} {traffic}"
    (tree / "Procfile").write_text(procfile.replace("python -m billing.app", web))
    # Without a PATH there is no bubblewrap: in a box no file outside could be written.
    replace(kit, path="").grade("--submission", str(tree), "--trusted")
    return traffic


def make_plan(lab: Lab, run: RunDirectory, traffic: Path) -> Plan:
    """What the others need to do the same work. The cluster comes out of the kit's own cache."""
    assert lab.dataset is not None, "the benchmark's lesson has a dataset"
    identity = stores_identity()
    programs = postgres_programs(identity)
    home = run.path / "cached"
    home.mkdir()
    making = Making(programs, identity, run.path, run.record, lambda text: print(text, file=sys.stderr))
    cluster = dataset_cache.copy(dataset_of(lab, making.say) or dataset_cache.EMPTY, home, making)
    return Plan(
        folder=str(run.path),
        cluster=str(cluster.data),
        password=cluster.password,
        postgres=str(programs.postgres),
        initdb=str(programs.initdb),
        valkey=str(valkey_program(identity).path),
        python=str(python_environment(lab.reference / "requirements.txt")),
        reference=str(lab.reference),
        schema=lab.dataset.schema,
        dataset=str(lab.grader / lab.dataset.sql),
        databases={name: dict(sizes) for name, sizes in lab.dataset.databases.items()},
        traffic=str(traffic),
    )
