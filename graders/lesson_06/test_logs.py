"""A refusal leaves a trace that somebody can work with, and nothing that an attacker could."""

import time
from collections.abc import Iterator
from typing import Any

from graders.check import check, expect
from graders.lesson_06.callers import Request, ask, shown
from graders.lesson_06.world import World
from graders.probes.api import Answer, Bearer, curl
from graders.probes.json_lines import objects
from graders.probes.service import Printed
from graders.probes.tokens import DEFECTS, tampered_signature

WITHIN = 10.0
PART = 16  # characters of a token that nobody has by chance
BECAUSE_LOGGED = (
    "Somebody tries doors at night. Without a line that says who tried which, nobody learns of it."
)
SAID_ELSEWHERE = {"huge", "no_token_at_all"}  # one repeats itself, the other is a word
FINANCE = "/v1/admin/invoices"


@check("refusals-logged", needs=["tokens-accepted"])
def test_refusals(world: World, printed: Printed) -> None:
    """Each refusal leaves one line in the log: who, what, and why."""
    mark = printed.mark()
    viewer = world.caller("viewer")
    revoked, nobody = world.revoked("clerk"), world.nobody()
    bad = Bearer(tampered_signature(world.provider, viewer.subject), viewer.bearer().shown)
    finance = Request("GET", FINANCE)
    for answer, status, reason, subject in (
        (ask(world.api, finance), 401, "no-token", None),
        (ask(world.api, Request("GET", "/v1/nothing-here")), 401, "no-token", None),
        (ask(world.api, finance, bad), 401, "bad-token", None),
        (nobody.ask(finance), 401, "unknown-user", nobody.subject),
        (revoked.ask(finance), 401, "revoked-user", revoked.subject),
    ):
        _expect_line(printed, mark, answer, status, method="GET", reason=reason, subject=subject)
    void = Request("POST", f"/v1/invoices/{world.sent()}/void")
    for request, route in ((finance, FINANCE), (void, "/v1/invoices/{invoice_id}/void")):
        fields = {"method": request.method, "reason": "role", "subject": viewer.subject, "route": route}
        _expect_line(printed, mark, viewer.ask(request), 403, **fields)


@check("tokens-not-logged", needs=["refusals-logged"])
def test_tokens_not_logged(world: World, printed: Printed) -> None:
    """No line of the log holds a token or a part of one."""
    mark = printed.mark()
    viewer = world.caller("viewer")
    forged = [
        Bearer(defect.forge(world.provider, viewer.subject), shown(viewer.subject, defect.name))
        for defect in DEFECTS
        if defect.name not in SAID_ELSEWHERE
    ]
    sent = []
    for bearer in (viewer.bearer(), *forged):
        for path in (FINANCE, "/v1/nothing-here"):
            answer = world.api.send("GET", path, bearer=bearer)
            sent.append((bearer.token, answer.did))
    in_the_query = viewer.bearer()
    answer = ask(world.api, Request("GET", f"/v1/customers?access_token={in_the_query.token}"))
    sent.append(
        (
            in_the_query.token,
            curl("GET", f"/v1/customers?access_token={in_the_query.shown}", {}).replace("'", '"'),
        )
    )
    _line_of(printed, mark, answer)
    lines = [(line, {*_windows(line)}) for line in printed.since(mark)]
    for token, did in sent:
        parts = {*_parts(token)}
        found = next((line for line, windows in lines if not parts.isdisjoint(windows)), None)
        expect(
            found is None,
            expected="Lines without tokens: who sent a request is told by its subject.",
            got=f"a line of the log holds a piece of the token: {_where(found or '', parts)}",
            because="Logs are read by many, kept for months and sent to other firms. Each token in them is a key under the mat.",
            did=did,
        )


def _expect_line(printed: Printed, mark: int, answer: Answer, status: int, **fields: str | None) -> None:
    expect(
        answer.status == status,
        expected=f"Status {status}.",
        got=answer.summary(),
        because=BECAUSE_LOGGED,
        did=answer.did,
    )
    lines = _line_of(printed, mark, answer)
    line = lines[0] if len(lines) == 1 else {}
    wanted = {"level": "warning", "status": status, **fields}
    wrong = [
        f"{name} is {line.get(name)!r}"
        for name, value in wanted.items()
        if line.get(name, "-") != value
        if not (name == "method" and status == 401 and line.get(name, "-") is None)
    ]
    expect(
        len(lines) == 1 and not wrong,
        expected='One line with "message": "refused", the request\'s id, and '
        + ", ".join(f"{name} {value!r}" for name, value in wanted.items())
        + ".",
        got="\n".join(wrong) if len(lines) == 1 else f"{len(lines)} such lines with the request's id",
        because=BECAUSE_LOGGED,
        did=answer.did,
    )


def _line_of(printed: Printed, mark: int, answer: Answer) -> list[dict[str, Any]]:
    """The lines about the refusal of this request; the request's own line comes after it, and is awaited."""
    wanted = answer.headers.get("X-Request-ID")
    deadline = time.monotonic() + WITHIN
    while True:
        its = [line for line in objects(printed.since(mark)) if wanted and line.get("request_id") == wanted]
        whole = any(line.get("message") == "request" for line in its)
        refused = [line for line in its if line.get("message") == "refused"]
        if (whole and refused) or time.monotonic() > deadline:
            return refused
        time.sleep(0.05)


def _where(line: str, parts: set[str]) -> str:
    """Which line it is, and where in it the piece stands."""
    for found in objects([line]):
        names = [name for name, value in found.items() if not parts.isdisjoint(_windows(str(value)))]
        return f"message {str(found.get('message'))[:60]!r}, in {', '.join(names)}"
    return line[:160]


def _parts(token: str) -> Iterator[str]:
    """Every piece of payload and signature: a token that was cut short, at either end, is one, too."""
    for part in token.split(".")[1:]:
        yield from _windows(part)


def _windows(text: str) -> Iterator[str]:
    return (text[at : at + PART] for at in range(len(text) - PART + 1))
