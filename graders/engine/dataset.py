"""Makes a lesson's dataset: the reference's earlier migrations on each database, then the lesson's own SQL."""

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from compose.roles import create_database
from compose.stores import DATABASE, Dataset, PostgresServer, StoresFailed
from graders.engine.runtime import python_environment
from labs.catalog import DatasetSpec, Lab

FORMAT = "2"
SECONDS = 300


def dataset_of(lab: Lab, say: Callable[[str], None]) -> Dataset | None:
    """The dataset of a lesson; its key changes with everything that could change a row."""
    spec = lab.dataset
    if spec is None:
        return None
    key = hashlib.sha256(FORMAT.encode())
    for path in (lab.grader / spec.sql, *_migrations(lab, spec)):
        key.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    key.update(repr(sorted((name, sorted(sizes.items())) for name, sizes in spec.databases.items())).encode())

    def fill(server: PostgresServer) -> None:
        say(f"Building the dataset of {lab.id} (once; it is kept)")
        for name, sizes in spec.databases.items():
            if name != DATABASE:
                create_database(server, name)
            _migrate(lab, spec, server.url(server.owner, name))
            _fill(server, name, (lab.grader / spec.sql).read_text(encoding="utf-8"), sizes)

    return Dataset(f"{lab.id}-{key.hexdigest()[:20]}", fill)


def _migrations(lab: Lab, spec: DatasetSpec) -> list[Path]:
    """The migrations that production had already applied."""
    return sorted(
        path for path in (lab.reference / "migrations").glob("*.sql") if path.name[:4] <= spec.schema
    )


def _migrate(lab: Lab, spec: DatasetSpec, url: str) -> None:
    """Run the reference's own migrations, as its operators do."""
    python = python_environment(lab.reference / "requirements.txt") / "python"
    done = subprocess.run(
        [python, "-B", "-m", "billing.migrate", "--to", spec.schema],
        cwd=lab.reference,
        env={"DATABASE_URL": url, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode:
        raise StoresFailed(
            "The dataset's migrations failed.",
            "Report this to the lesson's author.",
            done.stdout + done.stderr,
        )


def _fill(server: PostgresServer, database: str, text: str, sizes: dict[str, int]) -> None:
    try:
        with psycopg.connect(server.url(server.owner, database), autocommit=True) as owner:
            for name, value in sizes.items():
                owner.execute("SELECT set_config(%s, %s, false)", (f"octo.{name}", str(value)))
            owner.execute(sql.SQL(text))
        with psycopg.connect(server.url(server.grader, database), autocommit=True) as grader:
            # An asynchronous commit of its own would keep VACUUM from marking the next tables all-visible.
            grader.execute("SET synchronous_commit = on")
            grader.execute("VACUUM (FREEZE, ANALYZE)")
            grader.execute("CHECKPOINT")
    except psycopg.Error as error:
        raise StoresFailed(
            "The dataset could not be built.", "Report this to the lesson's author.", str(error)
        ) from error
