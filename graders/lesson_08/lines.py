"""What the processes have printed about one request: followed by its id, over web and worker."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from graders.check import Failure, expect
from graders.lesson_08.waiting import until
from graders.probes.api import Answer
from graders.probes.json_lines import objects
from graders.probes.service import Printed

Line = dict[str, Any]
WITHIN = 10.0
MOST_SHOWN, MOST_FIELDS = 300, 16
MISSING = object()
BECAUSE_FOLLOWED = (
    "At night somebody has one request id and many lines. What does not carry the id is not found; what is there twice is "
    "counted twice."
)

BECAUSE_SEARCHED = (
    "At night lines are searched for by their fields. A line that lacks one, or says something else there, is not found, or "
    "leads astray."
)


@dataclass(frozen=True)
class Lines:
    """What was printed after `mark`."""

    printed: Printed
    mark: int

    def of(self, request_id: str | None, message: str | None = None) -> list[Line]:
        """The lines with this id (and this message), in the order in which they came."""
        return [
            line
            for line in objects(self.printed.since(self.mark))
            if request_id and line.get("request_id") == request_id
            if message is None or line.get("message") == message
        ]

    def of_message(self, message: str) -> list[Line]:
        """The lines with this message."""
        return [line for line in objects(self.printed.since(self.mark)) if line.get("message") == message]

    def awaited(self, answer: Answer, message: str = "request", number: int = 1) -> list[Line]:
        """The lines about the request as soon as there are so many; after WITHIN seconds, those that there are."""
        wanted = id_of(answer)
        return until(lambda: self.of(wanted, message), lambda found: len(found) >= number, WITHIN)

    def one(self, answer: Answer, message: str = "request") -> Line:
        """The one line of this message about the request. Raises Failure where there is none, or more."""
        found = self.awaited(answer, message)
        if len(found) != 1:
            raise Failure(
                expected=f'One line with "message": "{message}" and the request\'s id, {id_of(answer)}.',
                got=_not_one(found, answer, message),
                because=BECAUSE_FOLLOWED,
                did=answer.did,
            )
        return found[0]


def id_of(answer: Answer) -> str | None:
    """The request id that the answer carries."""
    return answer.headers.get("X-Request-ID")


def differences(line: Line, wanted: Mapping[str, object]) -> dict[str, str]:
    """The fields of the line that are not as wanted, and what each must be, in words."""
    return {
        name: f"{json.dumps(name)}: {_json(value)}"
        for name, value in wanted.items()
        if line.get(name, MISSING) != value
    }


def expect_line(
    what: str, line: Line, wrong: Mapping[str, str], answer: Answer, because: str = BECAUSE_SEARCHED
) -> None:
    """Fail where fields are wrong, with what each must be, with what each is, and with the line. what: which line it is."""
    expect(
        not wrong,
        expected=f"The {what} has {', '.join(wrong.values())}.",
        got=f"{what}: {', '.join(_field(line, name) for name in wrong)}\n{shown(line, wrong)}",
        because=because,
        did=answer.did,
    )


def shown(line: Line, first: Iterable[str] = ()) -> str:
    """The line as JSON: what it is found by, the fields that matter, then the others as far as there is room."""
    found_by = ("message", "request_id")
    names = [name for name in dict.fromkeys((*found_by, *first, *line)) if name in line]
    left = [f"and {len(names) - MOST_FIELDS} more"] if len(names) > MOST_FIELDS else []
    fields = [f"{json.dumps(name)}: {_json(line[name])}" for name in names[:MOST_FIELDS]]
    return "{" + ", ".join([*fields, *left]) + "}"


def _field(line: Line, name: str) -> str:
    return f'wrong "{name}": {_json(line[name])}' if name in line else f'no "{name}"'


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def _not_one(found: Collection[Line], answer: Answer, message: str) -> str:
    if id_of(answer) is None:
        return "the answer has no X-Request-ID to find its lines by"
    if not found:
        return f'no "{message}" line has the id of the answer'
    return "\n".join(
        [f'{len(found)} "{message}" lines have the id of one request', *map(shown, [*found][:3])]
    )


def is_utc(text: object) -> bool:
    """Whether it is a time of RFC 3339 in UTC."""
    try:
        return datetime.fromisoformat(str(text)).utcoffset() == timedelta(0)
    except ValueError:
        return False
