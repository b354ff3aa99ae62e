"""The log by structlog: libraries' records and ours go through the same processors, and out as JSON."""

import logging
import sys
from typing import Any

import structlog

from billing.operations.redaction import clean
from billing.telemetry import correlation
from billing.telemetry.correlation import Correlation

EventDict = dict[str, Any]


def log_as_json(level: str) -> None:
    """Send the logs of this process, libraries included, to standard output."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _fields,
            _failure,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.EventRenamer("message"),
            _cleaned,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in ("uvicorn", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


def begin_request(ids: Correlation) -> None:
    """From here on every line that this request's task logs carries its ids."""
    correlation.begin(ids)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(
        request_id=ids.request_id, trace_id=ids.trace_id, tenant_id=None, user_id=None
    )


def note(**fields: object) -> None:
    """Add to what the lines of the present request have in common."""
    structlog.contextvars.bind_contextvars(**fields)


def _fields(logger: object, name: str, event: EventDict) -> EventDict:
    return event | getattr(event["_record"], "fields", {})


def _failure(logger: object, name: str, event: EventDict) -> EventDict:
    info = event.pop("exc_info", None)
    if info and info[1]:
        chain = [info[1]]
        while chain[-1].__cause__ or chain[-1].__context__:
            chain.append(chain[-1].__cause__ or chain[-1].__context__)
        event["error"] = " <- ".join(f"{type(one).__qualname__}({clean(str(one))})" for one in chain[:10])
        event["stack"] = _frames(info)
    return event


def _frames(info: Any) -> list[str]:
    trace = structlog.tracebacks.extract(*info, show_locals=False)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for stack in trace.stacks for frame in stack.frames]


def _cleaned(logger: object, name: str, event: EventDict) -> EventDict:
    return {key: clean(value) for key, value in event.items()}
