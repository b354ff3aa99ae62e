"""The payment provider and the mail server that the grader plays: scripted for each subject, remembering every call.

A subject is what a call is about: the recipient of a mail, the reference of a charge. Work is done once for each
idempotency key, as an honest upstream does it; so what was done twice was asked for under two keys.
"""

import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from graders.probes.played import DOWN, Asked, Reply
from graders.probes.strict_json import NotStrict, parse

WITHIN = 30.0
MOST_CALLS = 20_000


@dataclass(frozen=True)
class Step:
    """What one call meets. `works`: the work is done, whatever the caller hears of it.

    status: what is answered; None cuts the connection without a word. holds: nothing is answered until `release`.
    """

    works: bool
    status: int | None = None
    holds: bool = False


WORK = Step(works=True, status=200)
LOSE = Step(works=True)  # the work is done, the answer is lost
CUT = Step(works=False)
HOLD = Step(works=False, holds=True)
HOLD_AND_WORK = Step(works=True, holds=True)


def refuse(status: int) -> Step:
    """An answer that is no success: 422 for good, 503 for now."""
    return Step(works=False, status=status)


@dataclass(frozen=True)
class Call:
    """One call that came in. second: on this process' monotonic clock, when it had come in whole.

    headers: their names in small letters.
    """

    second: float
    subject: str
    key: str
    body: Mapping[str, Any]
    step: Step
    headers: Mapping[str, str] = field(default_factory=dict)


class Upstream:
    """A server with one path, and what it was asked. Everything here may be called from any thread."""

    def __init__(self, path: str, subject: str, success: int) -> None:
        self._path = path
        self._subject = subject
        self._success = success
        self._scripts: dict[str, deque[Step]] = {}
        self._after: dict[str, Step] = {}
        self._calls: list[Call] = []
        self._done: dict[tuple[str, str], bytes] = {}
        self._faults: list[str] = []
        self._changed = threading.Condition()
        self._held: dict[str, threading.Event] = {}

    def script(self, subject: str, *steps: Step, then: Step = WORK) -> None:
        """What the next calls about the subject meet, in order; and every later one. "": about one without a script."""
        with self._changed:
            self._scripts[subject] = deque(steps)
            self._after[subject] = then

    def calls(self, subject: str) -> tuple[Call, ...]:
        """The calls about the subject so far, in the order in which they came."""
        with self._changed:
            return tuple(call for call in self._calls if call.subject == subject)

    def all_calls(self) -> tuple[Call, ...]:
        """Every call so far, in the order in which they came."""
        with self._changed:
            return tuple(self._calls)

    def works(self, subject: str) -> int:
        """How often the work was done for the subject: once for each key."""
        with self._changed:
            return sum(1 for done, _ in self._done if done == subject)

    def faults(self) -> tuple[str, ...]:
        """What came in and was no call as CONTRACT.md has them, a line each."""
        with self._changed:
            return tuple(self._faults)

    def await_calls(self, subject: str, number: int, seconds: float = WITHIN) -> tuple[Call, ...]:
        """The calls about the subject as soon as there are so many; after `seconds`, as many as there are."""
        with self._changed:
            self._changed.wait_for(
                lambda: sum(call.subject == subject for call in self._calls) >= number, seconds
            )
        return self.calls(subject)

    def release(self, *subjects: str) -> None:
        """Whoever was held, about these subjects or any, is let go without an answer; who comes later is held anew."""
        with self._changed:
            for subject in subjects or tuple(self._held):
                if held := self._held.pop(subject, None):
                    held.set()

    def answer(self, asked: Asked) -> Reply:
        """What its server says (see `played`)."""
        with self._changed:
            if len(self._calls) >= MOST_CALLS:
                return DOWN
            call = self._understood(asked)
            if isinstance(call, str):
                self._faults.append(f"{asked.method} {asked.path[:80]}: {call}"[:300])
                return Reply(404 if asked.path != self._path else 400, b"{}")
            self._calls.append(call)
            self._changed.notify_all()
            return self._reply(call)

    def _understood(self, asked: Asked) -> Call | str:
        """The call, or what is wrong with it."""
        if asked.method != "POST" or asked.path != self._path:
            return f"only POST {self._path} is served"
        try:
            body = parse(asked.body)
        except NotStrict as fault:
            return f"the body is no JSON: {fault}"
        if not isinstance(body, dict) or not isinstance(body.get(self._subject), str):
            return f"the body has no text {self._subject!r}"
        subject = body[self._subject]
        # Without a key each call is work of its own.
        key = asked.headers.get("idempotency-key") or secrets.token_hex(8)
        return Call(time.monotonic(), subject, key, body, self._next_step(subject), asked.headers)

    def _next_step(self, subject: str) -> Step:
        subject = subject if subject in self._scripts else ""
        steps = self._scripts.get(subject)
        return steps.popleft() if steps else self._after.get(subject, WORK)

    def _reply(self, call: Call) -> Reply:
        step = call.step
        said = self._done.get((call.subject, call.key)) if step.works else None
        if step.works and said is None:
            said = json.dumps({"id": secrets.token_hex(8)}).encode()
            self._done[call.subject, call.key] = said
        if step.holds:
            return Reply(None, held=self._held.setdefault(call.subject, threading.Event()))
        if step.status is None:
            return DOWN
        return Reply(self._success if step.works else step.status, said or b'{"error": "no"}')


@dataclass(frozen=True)
class Upstreams:
    """The two that jobs call."""

    mail: Upstream
    payments: Upstream


def mail_server() -> Upstream:
    """POST /messages {"to", "subject", "text"}: 202. The subject is `to`."""
    return Upstream("/messages", "to", 202)


def payment_provider() -> Upstream:
    """POST /charges {"amount_cents", "currency", "reference"}: 201. The subject is `reference`."""
    return Upstream("/charges", "reference", 201)


def waits(calls: Sequence[Call]) -> tuple[float, ...]:
    """The seconds between each call and the next."""
    return tuple(later.second - earlier.second for earlier, later in pairwise(calls))


def environment(mail_url: str, payments_url: str) -> dict[str, str]:
    """What a worker is told of them (CONTRACT.md, Configuration)."""
    return {"MAIL_URL": mail_url, "PAYMENT_PROVIDER_URL": payments_url}
