"""Everything the service says is a JSON object a line on standard output, has its request's ids, and tells no secret."""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

from billing.operations.redaction import clean
from billing.telemetry import correlation
from billing.telemetry.correlation import Correlation

# What all lines of one request have in common. Begun by `http/request_log.py`; `note` adds to it.
_request_fields: ContextVar[dict[str, object]] = ContextVar("request_fields")


class JsonLines(logging.Formatter):
    """A record as one line: time, level, message, then the fields given as `extra={"fields": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **_request_fields.get({}),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1]:
            line["error"] = _with_causes(record.exc_info[1])
            line["stack"] = self.formatException(record.exc_info)
        return json.dumps(clean(line))


def log_as_json(level: str) -> None:
    """Send the logs of this process, libraries included, to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # The service says itself when it starts, drains and stops; of the server only its troubles are news.
    # A call to an upstream has a line of ours.
    for name in ("uvicorn", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


def begin_request(ids: Correlation) -> None:
    """From here on every line that this request's task logs carries its ids."""
    correlation.begin(ids)
    fields = {"request_id": ids.request_id, "trace_id": ids.trace_id}
    _request_fields.set({**fields, "tenant_id": None, "user_id": None})


def note(**fields: object) -> None:
    """Add to what the lines of the present request have in common."""
    _request_fields.get({}).update(fields)


def _with_causes(failure: BaseException) -> str:
    """What failed, and what that came from: `RuntimeError: no rate; from KeyError: 'EUR'`."""
    chain = [failure]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) and cause not in chain:
        chain.append(cause)
    # Each is cleaned for itself: where a message of another's ends is not to be seen once they are joined.
    return "; from ".join(f"{type(one).__name__}: {clean(str(one))}" for one in chain)
