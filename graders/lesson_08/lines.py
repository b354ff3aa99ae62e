"""What the processes have printed about one request: followed by its id, over web and worker."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from graders.check import Failure
from graders.lesson_08.waiting import until
from graders.probes.api import Answer
from graders.probes.json_lines import objects
from graders.probes.service import Printed

Line = dict[str, Any]
WITHIN = 10.0
BECAUSE_FOLLOWED = (
    "At night somebody has one request id and many lines. What does not carry the id is not found; what is there twice is "
    "counted twice."
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
                got=f"{len(found)} such lines",
                because=BECAUSE_FOLLOWED,
                did=answer.did,
            )
        return found[0]


def id_of(answer: Answer) -> str | None:
    """The request id that the answer carries."""
    return answer.headers.get("X-Request-ID")


def differences(line: Line, wanted: Mapping[str, object]) -> list[str]:
    """What of the line is not as wanted, a line each."""
    return [
        f"{name} is {line.get(name, 'missing')!r}, not {value!r}"
        for name, value in wanted.items()
        if line.get(name, "missing") != value
    ]


def is_utc(text: object) -> bool:
    """Whether it is a time of RFC 3339 in UTC."""
    try:
        return datetime.fromisoformat(str(text)).utcoffset() == timedelta(0)
    except ValueError:
        return False
