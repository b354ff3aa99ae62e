"""What a check does to upstreams, gates and processes, for a person with curl while `octo_lab run` is up."""

import json
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from urllib.parse import parse_qsl, urlsplit

from graders.check import Failure
from graders.probes.faults import Gate, Gates, Landed
from graders.probes.played import Answers, Asked, Reply
from graders.probes.service import Operated
from graders.probes.upstreams import CUT, HOLD, LOSE, WORK, Call, Step, Upstream, refuse

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

    GET /calls            what it was asked so far, each call with the second since the start at which it came
    POST /script/503,cut  what the next calls meet, in order: a status, work, lose (the answer), cut or hold
    POST /release         whoever is held is let go
    """
    began = time.monotonic()

    def answer(asked: Asked) -> Reply:
        match (asked.method, *asked.path.strip("/").split("/")):
            case ("GET", "calls"):
                return _text("\n".join(json.dumps(_told(call, began)) for call in upstream.all_calls()))
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


class ProcessesByHand:
    """The service's processes in the hands of who tries things out, once there is a `service`.

    POST /worker/kill (SIGKILL) or /worker/stop (SIGTERM): all of them.
    POST /worker/start?JOB_LEASE_SECONDS=2, /web/start?QUEUE_LIMIT=3: one more, with variables of its own.
    """

    def __init__(self, stack: ExitStack) -> None:
        self.service: Operated | None = None
        # What is started in a box ends with the thread that started it, so that thread stays.
        self._hands = stack.enter_context(ThreadPoolExecutor(1))

    def told(self, kind: str, what: str, query: str) -> Reply:
        if self.service is None:
            return _text("The service is not up yet.", 503)
        return self._hands.submit(self._done, self.service, kind, what, dict(parse_qsl(query))).result()

    def _done(self, service: Operated, kind: str, what: str, environment: dict[str, str]) -> Reply:
        running = service.processes(kind)
        try:
            if what == "start":
                started = service.start(kind, environment)
                return _text(" ".join([f"One more {kind}, beside {len(running)}.", started.url]).strip())
        except Failure as failure:
            return _text(f"{failure.expected}\n{failure.got}", 409)
        for each in running:
            if what == "kill":
                each.kill()
            else:
                each.signal(signal.SIGTERM)
        return _text(f"{what}: {len(running)} of kind {kind}")


def faults_by_hand(gates: Gates, stack: ExitStack, processes: ProcessesByHand) -> Answers:
    """POST /NAME/FAULT: the door to postgres, cache, queue, mail or payments is cut, refuse, hold, half-open or delay.

    POST /NAME/heal: it is as it was. And what ProcessesByHand has.
    """
    present: dict[str, ExitStack] = {}

    def answer(asked: Asked) -> Reply:
        address = urlsplit(asked.path)
        match (asked.method, *address.path.strip("/").split("/")):
            case ("POST", "worker", "kill" | "stop" | "start" as what):
                return processes.told("worker", what, address.query)
            case ("POST", "web", "start"):
                return processes.told("web", "start", address.query)
            case ("POST", name, fault) if name in Gates.NAMES and fault in ("heal", *FAULTS):
                present.setdefault(name, stack.enter_context(ExitStack())).close()
                if fault != "heal":
                    present[name].enter_context(FAULTS[fault](getattr(gates, name)))
                return _text(f"{name}: {fault}")
        doors = f"POST /NAME/FAULT of {', '.join(Gates.NAMES)} and heal, {', '.join(FAULTS)}"
        return _text(f"{doors}; or /worker/kill, /worker/stop, /worker/start, /web/start", 404)

    return answer


def _step(word: str) -> Step | None:
    return refuse(int(word)) if word.isascii() and word.isdigit() else STEPS.get(word)


def _told(call: Call, began: float) -> dict[str, object]:
    second = round(call.second - began, 2)
    return {"second": second, "subject": call.subject, "key": call.key, "body": dict(call.body)}


def _text(text: str, status: int = 200) -> Reply:
    return Reply(status, f"{text}\n".encode(), "text/plain")
