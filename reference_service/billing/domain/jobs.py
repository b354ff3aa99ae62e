"""Work that no caller waits for: queued, then running, then done; or dead, where a person looks at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Kind = Literal["mail", "charge", "report"]
JobStatus = Literal["queued", "running", "done", "dead"]
# refused: lasting, another try would end the same. exhausted: tried as often as `queues.toml` allows.
DeadReason = Literal["refused", "exhausted"]


@dataclass(frozen=True)
class Order:
    """What is to be done for a tenant. `request` holds what the invoice itself does not say."""

    kind: Kind
    tenant_id: int
    invoice_id: int | None
    request: Mapping[str, Any]


@dataclass(frozen=True)
class Job:
    """An order that was accepted, as those see it who ask for it."""

    id: int
    kind: Kind
    status: JobStatus
    attempts: int
    invoice_id: int | None
    payment_id: int | None
    report: Mapping[str, Any] | None
    reason: DeadReason | None
    detail: str | None
    created_at: datetime
    finished_at: datetime | None


class QueueFull(Exception):
    """So much is waiting that more would only wait longer."""

    def __init__(self) -> None:
        super().__init__("Too much is waiting to be done; try again later.")


class JobNotDead(Exception):
    """Only what ended as a dead letter can be queued again."""

    def __init__(self, status: JobStatus) -> None:
        super().__init__(f"Only a dead job can be queued again; this one is {status}.")
