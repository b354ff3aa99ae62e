"""The id of a request, for its lines in the log."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from secrets import token_hex
from typing import Any
from uuid import uuid4

# Where the ids stand among what is stored with a job.
KEPT = "correlation"


@dataclass(frozen=True)
class Correlation:
    """The ids that everything done for one request has in common."""

    request_id: str
    trace_id: str
    flags: str

    def headers(self) -> dict[str, str]:
        """What a call to somebody else carries."""
        return {}

    def kept(self) -> dict[str, str]:
        """As it is stored with a job."""
        return {}


_present: ContextVar[Correlation | None] = ContextVar("correlation", default=None)


def received(request_id: str | None, traceparent: str | None) -> Correlation:
    """The ids of a request that came with these headers. The proxy in front makes request ids, so they are kept."""
    return Correlation(request_id or uuid4().hex, token_hex(16), "00")


def restored(kept: Mapping[str, Any] | None) -> Correlation:
    """The ids of a job. It is done in another process, so it has its own."""
    return received(None, None)


def begin(correlation: Correlation) -> None:
    """From here on the present task, and what it starts, works for this request."""
    _present.set(correlation)


def present() -> Correlation:
    """The ids that the present task works under; new ones where nobody has asked for its work."""
    return _present.get() or received(None, None)
