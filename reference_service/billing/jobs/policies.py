"""What is retried, how often and where it ends stands in queues.toml, and nowhere else."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from billing.domain.jobs import Kind
from billing.domain.retries import RetryPolicy

FILE = Path(__file__).parents[2] / "queues.toml"
Retried = Literal["no-answer", "408", "429", "5xx"]


class BadQueues(Exception):
    """The file can't be understood. The worker does not start: it would have to guess."""


class Row(BaseModel):
    """One table of the file."""

    model_config = ConfigDict(extra="forbid")

    attempts: Annotated[int, Field(ge=1, le=100)]
    growth: Annotated[float, Field(ge=1, le=10)]
    jitter: Annotated[float, Field(ge=0, le=1)]
    most: Annotated[float, Field(ge=1)]
    retried: list[Retried]
    ends: Literal["dead"]

    def policy(self) -> RetryPolicy:
        return RetryPolicy(self.attempts, self.growth, self.jitter, self.most, self.retried)


class File(BaseModel):
    """All of it: a table for each kind of job, none left out."""

    model_config = ConfigDict(extra="forbid")

    mail: Row
    charge: Row
    report: Row


def read_policies(file: Path = FILE) -> Mapping[Kind, RetryPolicy]:
    """Raises BadQueues."""
    try:
        content = TypeAdapter(File).validate_python(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as fault:
        raise BadQueues(f"{file.name} can't be understood: {fault}") from None
    return {
        "mail": content.mail.policy(),
        "charge": content.charge.policy(),
        "report": content.report.policy(),
    }
