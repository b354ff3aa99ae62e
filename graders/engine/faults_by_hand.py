"""What a check does to upstreams and gates, for a person with curl while `octo_lab run` is up."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict

from graders.probes.faults import Gate, Gates, Landed
from graders.probes.played import Answers, Asked, Reply
from graders.probes.upstreams import CUT, HOLD, LOSE, WORK, Step, Upstream, refuse

STEPS: dict[str, Step] = {"work": WORK, "lose": LOSE, "cut": CUT, "hold": HOLD}
FAULTS: dict[str, Callable[[Gate], AbstractContextManager[Landed]]] = {
    "cut": Gate.cut,
    "refuse": Gate.refuse,
    "hold": Gate.hold,
    "half-open": Gate.half_open,
    "delay": lambda gate: gate.delay(0.5),
}


def upstream_by_hand(upstream: Upstream) -> Answers:
    """The upstream itself, and beside it

    GET /calls            what it was asked so far
    POST /script/503,cut  what the next calls meet, in order: a status, work, lose (the answer), cut or hold
    POST /release         whoever is held is let go
    """

    def answer(asked: Asked) -> Reply:
        match (asked.method, *asked.path.strip("/").split("/")):
            case ("GET", "calls"):
                return _text("\n".join(json.dumps(_told(call)) for call in upstream.all_calls()))
            case ("POST", "script", words):
                steps = [_step(word) for word in words.split(",")]
                if known := [step for step in steps if step]:
                    upstream.script("", *known)
                return _text(f"The next {len(known)} calls meet that.")
            case ("POST", "release"):
                upstream.release()
                return _text("Whoever was held is let go.")
        return upstream.answer(asked)

    return answer


def faults_by_hand(gates: Gates, stack: ExitStack) -> Answers:
    """POST /NAME/FAULT: the door to postgres, cache, queue, mail or payments is cut, refuse, hold, half-open or delay.

    POST /NAME/heal: it is as it was.
    """
    present: dict[str, ExitStack] = {}

    def answer(asked: Asked) -> Reply:
        match (asked.method, *asked.path.strip("/").split("/")):
            case ("POST", name, fault) if name in Gates.NAMES and fault in ("heal", *FAULTS):
                present.setdefault(name, stack.enter_context(ExitStack())).close()
                if fault != "heal":
                    present[name].enter_context(FAULTS[fault](getattr(gates, name)))
                return _text(f"{name}: {fault}")
        return _text(f"POST /NAME/FAULT of {', '.join(Gates.NAMES)} and heal, {', '.join(FAULTS)}", 404)

    return answer


def _step(word: str) -> Step | None:
    return refuse(int(word)) if word.isascii() and word.isdigit() else STEPS.get(word)


def _told(call: object) -> dict[str, object]:
    told = asdict(call)  # type: ignore[call-overload]
    return {"subject": told["subject"], "key": told["key"], "body": told["body"]}


def _text(text: str, status: int = 200) -> Reply:
    return Reply(status, f"{text}\n".encode(), "text/plain")
