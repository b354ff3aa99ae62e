"""What is done for one request is found by its ids, in whichever process it is done: the request, its job, a call."""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from secrets import token_hex
from typing import Any
from uuid import uuid4

# An id that a proxy in front gave is kept, unless it could break a log or a header.
ACCEPTED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
# W3C Trace Context, section 3.2: version, trace, parent, flags. A later version may say more after these.
TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")

# Where the ids stand among what is stored with a job.
KEPT = "correlation"


@dataclass(frozen=True)
class Correlation:
    """The ids that everything done for one request has in common. `flags`: two hex digits, whether it is sampled."""

    request_id: str
    trace_id: str
    flags: str

    def headers(self) -> dict[str, str]:
        """What a call to somebody else carries: the same trace, and a span of its own."""
        traceparent = f"00-{self.trace_id}-{token_hex(8)}-{self.flags}"
        return {"X-Request-ID": self.request_id, "traceparent": traceparent}

    def kept(self) -> dict[str, str]:
        """As it is stored with a job."""
        return {"request_id": self.request_id, "trace_id": self.trace_id, "flags": self.flags}


_present: ContextVar[Correlation | None] = ContextVar("correlation", default=None)


def received(request_id: str | None, traceparent: str | None) -> Correlation:
    """The ids of a request that came with these headers; what is missing or malformed is made anew."""
    given = request_id or ""
    accepted = given if ACCEPTED_REQUEST_ID.fullmatch(given) else uuid4().hex
    trace_id, flags = _trace(traceparent or "")
    return Correlation(accepted, trace_id, flags)


def restored(kept: Mapping[str, Any] | None) -> Correlation:
    """The ids as `kept` has them; new ones for a job that was stored without."""
    return Correlation(**kept) if kept else received(None, None)


def begin(correlation: Correlation) -> None:
    """From here on the present task, and what it starts, works for this request."""
    _present.set(correlation)


def present() -> Correlation:
    """The ids that the present task works under; new ones where nobody has asked for its work."""
    return _present.get() or received(None, None)


def _trace(traceparent: str) -> tuple[str, str]:
    found = TRACEPARENT.fullmatch(traceparent)
    if found:
        version, trace_id, parent, flags, more = found.groups()
        known = version != "ff" and not (version == "00" and more)
        if known and int(trace_id, 16) and int(parent, 16):
            return trace_id, flags
    return token_hex(16), "00"
