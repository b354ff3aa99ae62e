"""Postgres' own log of a grade, read: the plans of statements that ended, and what never came to a countable end.

What a statement read is counted when it has ended. One that fails, or whose portal is dropped by a ROLLBACK, is not
counted, though its rows (or its error's text) have reached the client. Pure functions; `postgres` fetches the lines.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from compose.postgres import APP, OWNER
from graders.probes.plans import Plan

SERVICE = (APP, OWNER)
PLANNED = ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE")
FAILED = ("ERROR", "FATAL", "PANIC")
FETCH = "fetch from "

# What we are interested in, before a line is parsed.
TELLING = (b'"explain_ExecutorEnd"', b'"exec_execute_message"', b'"HandleFunctionRequest"', *(
    b'"error_severity":"%s"' % severity.encode() for severity in FAILED
))  # fmt: skip

Entry = Mapping[str, Any]


def entries(lines: Iterable[bytes]) -> list[Entry]:
    """The entries of the service's sessions that tell of plans, of statements that began, or of failures."""
    telling = (line for line in lines if any(sign in line for sign in TELLING))
    parsed = (json.loads(line.decode(errors="replace")) for line in telling)
    return [entry for entry in parsed if entry.get("user") in SERVICE]


def plans(entries: Sequence[Entry]) -> tuple[Plan, ...]:
    """The plans that auto_explain wrote. Whatever else looks like one, a RAISE made."""
    return tuple(_plan(entry) for entry in entries if _is_plan(entry))


def uncounted(entries: Sequence[Entry]) -> tuple[str, ...]:
    """What took its share of work and is in no count, one line each."""
    failed = [_told(entry) for entry in entries if entry["error_severity"] in FAILED]
    called = ["a function was called past the planner (fastpath)" for entry in entries if _is_fastpath(entry)]
    return (*failed, *called, *_never_ended(entries))


def _is_plan(entry: Entry) -> bool:
    return (entry.get("file_name"), entry.get("func_name")) == ("auto_explain.c", "explain_ExecutorEnd")


def _is_fastpath(entry: Entry) -> bool:
    return entry.get("func_name") == "HandleFunctionRequest" and entry["error_severity"] == "LOG"


def _plan(entry: Entry) -> Plan:
    said = json.loads(entry["message"].partition("plan:\n")[2])
    return Plan.of(str(entry["user"]), said, nested=bool(entry.get("context")))


def _told(entry: Entry) -> str:
    message = str(entry["message"]).partition("\n")[0][:160]
    return f"{entry['error_severity']}: {message}\n    {one_line(entry.get('statement', ''))}"


def _never_ended(entries: Sequence[Entry]) -> list[str]:
    """Statements of the extended protocol that began and have no plan, though they were not seen to fail."""
    begun: Counter[tuple[str, str]] = Counter()
    portals: set[tuple[str, str, str]] = set()
    for entry in entries:
        if entry.get("func_name") == "exec_execute_message" and str(entry.get("ps")).startswith(PLANNED):
            label, _, text = str(entry["message"]).removeprefix("execute ").partition(": ")
            session = str(entry["session_id"])
            if (session, label.removeprefix(FETCH), text) in portals and label.startswith(FETCH):
                continue  # more rows of one that began before
            portals.add((session, label, text))
            begun[session, text] += 1
    begun.subtract((str(entry["session_id"]), _plan(entry).query) for entry in entries if _is_plan(entry))
    failed = {str(entry["session_id"]) for entry in entries if entry["error_severity"] in FAILED}
    return [
        f"began, sent rows and never ended:\n    {one_line(text)}"
        for (session, text), count in begun.items()
        if count > 0 and session not in failed
    ]


def one_line(statement: object) -> str:
    return " ".join(str(statement).split())[:160]
