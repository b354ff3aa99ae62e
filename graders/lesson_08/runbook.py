"""The learner's runbook: its steps as the lesson has them, read strictly, and followed over what the processes told.

The form is small on purpose (decision 0019): one number, one bound, two ways on.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from graders.check import Failure
from graders.probes.exposition import Page, Wanted

PATH = "runbook.md"
CAUSES = ("upstream", "backlog", "deployment", "healthy")
WEB, WORKER = ("web", "web-v1", "web-v2"), ("worker",)
# What CONTRACT.md, Metrics, promises: the labels of each sample, and where it is told.
REQUEST, CALL = ("method", "route", "status"), ("upstream", "outcome")
SAMPLES: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "http_requests_total": (REQUEST, WEB),
    "http_request_duration_seconds_count": (REQUEST[:2], WEB),
    "http_request_duration_seconds_sum": (REQUEST[:2], WEB),
    "http_requests_in_flight": ((), WEB),
    "db_pool_connections": (("state",), (*WEB, *WORKER)),
    "jobs_queued": (("kind",), WEB),
    "jobs_oldest_queued_seconds": (("kind",), WEB),
    "upstream_requests_total": (CALL, WORKER),
    "upstream_request_duration_seconds_count": (CALL[:1], WORKER),
    "upstream_request_duration_seconds_sum": (CALL[:1], WORKER),
    "service_info": (("version",), (*WEB, *WORKER)),
}
FENCE = re.compile(r"^```toml[ \t]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LABELS = {
    "type": "object",
    "additionalProperties": {
        "anyOf": [
            {"type": "string"},
            {"type": "array", "minItems": 1, "maxItems": 40, "items": {"type": "string"}},
        ]
    },
}
STEP = {
    "type": "object",
    "required": ["name", "metric", "of", "take", "above", "then", "else"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,63}$", "not": {"enum": list(CAUSES)}},
        "metric": {"enum": list(SAMPLES)},
        "of": {"enum": [*WEB, *WORKER]},
        "labels": LABELS,
        "take": {"enum": ["now", "growth", "share"]},
        "among": LABELS,
        "above": {"type": "number"},
        "then": {"type": "string"},
        "else": {"type": "string"},
    },
}
FORM: Mapping[str, Any] = {
    "type": "object",
    "required": ["step"],
    "additionalProperties": False,
    "properties": {"step": {"type": "array", "minItems": 1, "maxItems": 30, "items": STEP}},
}


@dataclass(frozen=True)
class Step:
    """One look: a number, a bound, and where to go on."""

    name: str
    metric: str
    of: str
    take: Literal["now", "growth", "share"]
    above: float
    then: str
    otherwise: str
    labels: Mapping[str, Wanted] = field(default_factory=dict)
    among: Mapping[str, Wanted] = field(default_factory=dict)


@dataclass(frozen=True)
class Window:
    """What each process told at the beginning and at the end of some time; None where it did not answer."""

    pages: Mapping[str, tuple[Page | None, Page | None]]

    def of(self, name: str) -> list[tuple[Page | None, Page | None]]:
        """The pages of the processes that a step means: `web` is both of them."""
        return [
            pages
            for process, pages in self.pages.items()
            if process == name or process.startswith(f"{name}-")
        ]


@dataclass(frozen=True)
class Walk:
    """How a runbook was followed: a line for each step, and the cause at which it ended."""

    lines: tuple[str, ...]
    end: str


def read(text: str | None) -> tuple[Step, ...]:
    """The steps. Raises Failure with every fault: its line and what to do."""
    blocks = [found for found in FENCE.finditer(text or "") if "[[step]]" in found[1]]
    if text is None or len(blocks) != 1:
        raise _refused("There is no such file." if text is None else _blocks(len(blocks)))
    block, first = blocks[0][1], text[: blocks[0].start(1)].count("\n") + 1
    try:
        content = tomllib.loads(block)
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        raise _refused(_moved(str(fault), first)) from None
    faults = [_fault(block, first, error) for error in Draft202012Validator(FORM).iter_errors(content)]
    faults = faults or [*_senseless(block, first, content["step"])]
    if faults:
        raise _refused("\n".join(sorted(faults)[:8]))
    return tuple(_step(row) for row in content["step"])


def follow(steps: Sequence[Step], window: Window) -> Walk:
    """Go from step to step, beginning with the first. It ends: a step leads only to later ones, or to a cause."""
    by_name = {step.name: step for step in steps}
    lines, at = [], steps[0].name
    while at in by_name:
        step = by_name[at]
        value = measured(step, window)
        at = step.then if value > step.above else step.otherwise
        sign = "above" if value > step.above else "not above"
        lines.append(f"{step.name}: {value:.3g} is {sign} {step.above:g}, so on to {at}")
    return Walk(tuple(lines), at)


def measured(step: Step, window: Window) -> float:
    """The step's number. What a process did not tell has not grown and is not there: 0."""
    pages = window.of(step.of)
    if step.take == "now":
        return sum(_total(after, step, step.labels) for _, after in pages)
    grown = sum(_growth(before, after, step, step.labels) for before, after in pages)
    if step.take == "growth":
        return grown
    whole = sum(_growth(before, after, step, step.among) for before, after in pages)
    return grown / whole if whole else 0.0


def _growth(before: Page | None, after: Page | None, step: Step, labels: Mapping[str, Wanted]) -> float:
    """A counter that is smaller than before has begun anew, with its process."""
    if after is None:
        return 0.0
    earlier, later = _total(before, step, labels), _total(after, step, labels)
    return later - earlier if later >= earlier else later


def _total(page: Page | None, step: Step, labels: Mapping[str, Wanted]) -> float:
    return page.total(step.metric, **labels) if page else 0.0


def _step(row: Mapping[str, Any]) -> Step:
    fields = {name: value for name, value in row.items() if name != "else"}
    return Step(otherwise=row["else"], **fields)


def _senseless(block: str, first: int, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What fits the form and still can't be followed."""
    names = [row["name"] for row in rows]
    reached = {names[0]}
    for at, row in enumerate(rows):
        later = names[at + 1 :]
        if row["name"] in names[:at]:
            yield f"{_at(block, first, at, 'name')}: there is another step `{row['name']}`. Give each a name of its own."
        if row["name"] not in reached:
            yield f"{_at(block, first, at, 'name')}: no step leads to `{row['name']}`. Lead there, or take it out."
        for member in ("then", "else"):
            reached.add(row[member])
            if row[member] not in (*later, *CAUSES):
                where = _at(block, first, at, member)
                yield f"{where}: `{row[member]}` is neither a later step nor one of {', '.join(CAUSES)}."
        labels, told = SAMPLES[row["metric"]]
        if row["of"] not in told:
            yield f"{_at(block, first, at, 'of')}: {row['metric']} is told by {', '.join(told)}, not by {row['of']}."
        for member in ("labels", "among"):
            for label in set(row.get(member, ())) - set(labels):
                where = _at(block, first, at, member)
                yield f"{where}: {row['metric']} has no label {label}; it has {', '.join(labels) or 'none'}."
        if "among" in row and row["take"] != "share":
            yield f"{_at(block, first, at, 'among')}: only a share is one among others. Take `among` out."


def _fault(block: str, first: int, error: ValidationError) -> str:
    path = [*error.absolute_path]
    step = path[1] if len(path) > 1 and isinstance(path[1], int) else None
    member = str(path[2]) if len(path) > 2 else ""
    where = f"line {first}" if step is None else _at(block, first, step, member)
    return f"{where}: {member + ': ' if member else ''}{error.message[:200]}"


def _at(block: str, first: int, step: int, member: str) -> str:
    """The line of the file on which a member of a step stands; that of the step where it is missing."""
    seen, found = -1, 0
    for number, line in enumerate(block.splitlines()):
        if line.strip() == "[[step]]":
            seen += 1
            found = number if seen == step else found
        elif seen == step and re.match(rf"\s*\"?{re.escape(member)}\"?[\s.=]", line):
            return f"line {first + number}"
    return f"line {first + found}"


def _moved(fault: str, first: int) -> str:
    """What TOML's reader says, with the line of the whole file."""
    found = re.search(r"\(at line (\d+)", fault)
    line = f"line {int(found[1]) + first - 1}" if found else f"from line {first} on"
    return f"{line}: {fault.split(' (at ')[0]}"


def _blocks(number: int) -> str:
    if number == 0:
        return "There is no block in it that begins with ```toml and has [[step]] in it."
    return f"There are {number} blocks with [[step]] in it. Put all steps into one."


def _refused(got: str) -> Failure:
    return Failure(
        expected=f"{PATH} has its steps in one block of TOML, as the lesson, *What to write down*, has them.",
        got=f"{PATH}: {got}",
        because="Whoever is woken at three follows the page as it stands. A step that can't be followed is where they stop.",
        did=f"cat work/lesson-08/{PATH}",
    )
