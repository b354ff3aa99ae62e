"""Everything the service says is one JSON object a line on standard output, and carries its request's id."""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

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
        if record.exc_info:
            line["stack"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_as_json(level: str) -> None:
    """Send the logs of this process, libraries included, to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # The service says itself when it starts, drains and stops; of the server only its troubles are news.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def begin_request(request_id: str) -> None:
    """From here on every line that this request's task logs carries its id."""
    _request_fields.set({"request_id": request_id, "tenant_id": None})


def note(**fields: object) -> None:
    """Add to what the lines of the present request have in common."""
    _request_fields.get({}).update(fields)
