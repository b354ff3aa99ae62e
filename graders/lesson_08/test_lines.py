"""What the processes print: a line for each request, joined over web, job and upstream, told once, and nothing private."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import md5

from graders.check import check, expect
from graders.lesson_08.lines import (
    BECAUSE_FOLLOWED,
    Line,
    Lines,
    differences,
    expect_line,
    id_of,
    is_utc,
    shown,
)
from graders.lesson_08.routes import same
from graders.lesson_08.traces import invalid_traces, is_trace, new_trace, trace_of
from graders.lesson_08.world import BECAUSE_KEPT, World, done, expect_status
from graders.probes.api import Answer
from graders.probes.upstreams import Call, Upstreams, refuse

BECAUSE_HOSTILE = "An id is written into every line and every header that follows. Who may choose it freely writes lines of their own."
BECAUSE_TRACED = "A trace that is begun anew in the middle is two halves, and the question was what the one had to do with the other."
SANE = ("7", "night-shift_7.b", "A" * 128)
HOSTILE = ("A" * 129, "two words", 'a"b', "a;b", "{}", "<b>a</b>", "ada@example.org", "a/b", "a=b", "a,b")


@check("contract-kept")
def test_contract(world: World, upstreams: Upstreams) -> None:
    """The service does what it is for: an invoice is sent, charged, and paid."""
    invoice = world.sent()
    order = world.charge(invoice["id"], cents=90_000)
    job = world.ended(order.json()["id"])
    paid = done(world.send("GET", f"/v1/invoices/{invoice['id']}"), 200, "GET of the invoice")
    expect(
        job["status"] == "done"
        and paid["status"] == "paid"
        and upstreams.payments.works(invoice["number"]) == 1,
        expected="The charge is done, the provider was asked once, and the invoice is paid.",
        got=f"the charge: job {job['status']}, invoice {paid['status']}, "
        f"provider asked {upstreams.payments.works(invoice['number'])} times",
        because=BECAUSE_KEPT,
        did=order.did,
    )
    world.all_ended()


@dataclass(frozen=True)
class Asked:
    """A request, and the template that it is logged under."""

    method: str
    path: str
    route: str | None
    json: object = None


@check("request-lines", needs=["contract-kept"])
def test_request_lines(world: World, lines: Lines) -> None:
    """Each request leaves one line: who asked for what, what came of it, and how long it took."""
    customer = world.customer()
    one, listed = "/v1/customers/{customer_id}", "/v1/customers/{customer_id}/invoices"
    nobody = {"name": "", "email": "x"}
    for asked in (
        Asked("GET", "/v1/customers", "/v1/customers"),
        Asked("GET", f"/v1/customers/{customer}", one),
        Asked("HEAD", f"/v1/customers/{customer}", one),
        Asked("GET", f"/v1/customers/{customer}/invoices", listed),
        Asked("GET", "/v1/customers/999999999", one),
        Asked("GET", f"/v1/invoices/by-number/{world.word()}", "/v1/invoices/by-number/{number}"),
        Asked("GET", f"/v1/{world.word()}", None),
        Asked("POST", "/v1/customers", "/v1/customers", {"name": "Bo", "email": "bo@example.org"}),
        Asked("POST", "/v1/customers", "/v1/customers", nobody),
        Asked("DELETE", f"/v1/customers/{customer}", one),
    ):
        answer = world.send(asked.method, asked.path, asked.json)
        line = lines.one(answer)
        tenant = {"tenant_id": str(world.tenant), "user_id": world.user} if asked.route else {}
        wanted = {"level": "info", "method": asked.method, "status": answer.status, **tenant}
        wrong = {**differences(line, wanted), **_malformed(line)}
        if not same(line.get("route", "missing"), asked.route):
            wrong |= differences(line, {"route": asked.route})
        expect_line("request line", line, wrong, answer)
    _expect_no_more(world, lines)


def _malformed(line: Line) -> dict[str, str]:
    took = line.get("duration_ms")
    number = isinstance(took, int | float) and not isinstance(took, bool) and took >= 0
    return {
        **({} if is_utc(line.get("time")) else {"time": '"time": a time of RFC 3339, in UTC'}),
        **({} if number else {"duration_ms": '"duration_ms": a number of milliseconds'}),
    }


def _expect_no_more(world: World, lines: Lines) -> None:
    """One line a request, also when time has passed: what a later request has logged came after what an earlier one did."""
    ids = [line.get("request_id") for line in lines.of_message("request")]
    lines.one(world.send("GET", "/v1/customers?limit=1"))
    twice = {str(id) for id in ids if len(lines.of(str(id), "request")) > 1}
    expect(
        not twice,
        expected="One line for each request.",
        got="\n".join(
            [
                f'{len(twice)} requests have more than one "request" line',
                *_of_one(lines, min(twice, default="")),
            ]
        ),
        because=BECAUSE_FOLLOWED,
    )


def _of_one(lines: Lines, id: str) -> list[str]:
    return [shown(line) for line in lines.of(id, "request")[:3]]


@check("request-ids", needs=["contract-kept"])
def test_request_ids(world: World, lines: Lines) -> None:
    """A sane X-Request-ID is kept, a hostile one is replaced, and line and answer agree."""
    for given in (*(f"{sane[:100]}{world.word()}"[:128] for sane in SANE), SANE[2]):
        answer = world.send("GET", "/v1/customers?limit=1", headers={"X-Request-ID": given})
        expect(
            id_of(answer) == given,
            expected=f"X-Request-ID: {given}, as it came in.",
            got=f"a sane id was not kept: X-Request-ID: {id_of(answer)}",
            because="The proxy in front has logged this id. With another one its lines and ours never meet.",
            did=answer.did,
        )
        lines.awaited(answer)
        expect(
            bool(lines.of(given, "request")),
            expected="The request's line has the id that the answer has.",
            got='no "request" line has the id of the answer',
            because=BECAUSE_FOLLOWED,
            did=answer.did,
        )
    made: set[str] = set()
    for hostile in (*HOSTILE, None):
        headers = {} if hostile is None else {"X-Request-ID": hostile}
        for path in ("/v1/customers?limit=1", "/v1/nowhere"):
            answer = world.send("GET", path, headers=headers)
            made_up = id_of(answer) or ""
            wrong = _wrong_id(made_up, hostile, made)
            expect(
                not wrong,
                expected="An X-Request-ID of the service's own: 1 to 128 of A-Z a-z 0-9 . _ -, and new.",
                got=f"{wrong}: X-Request-ID: {made_up}",
                because=BECAUSE_HOSTILE,
                did=answer.did,
            )
            made.add(made_up)
            lines.one(answer)


def _wrong_id(made_up: str, hostile: str | None, made: Collection[str]) -> str:
    """What is wrong with the id of an answer to a request without an id that may be kept; empty where nothing is."""
    if made_up == hostile:
        return "a hostile id was kept"
    if not is_sane(made_up):
        return "an id of the service's own is not sane" if made_up else "the answer has no id"
    return "the id is that of an earlier request" if made_up in made else ""


def is_sane(text: str) -> bool:
    return 1 <= len(text) <= 128 and text.isascii() and all(each.isalnum() or each in "._-" for each in text)


@check("trace-kept", needs=["contract-kept"])
def test_trace_kept(world: World, lines: Lines) -> None:
    """A valid traceparent names the trace of the request; in place of any other a new one is begun."""
    for version, more in (("00", ""), ("00", ""), ("01", "-later")):
        traceparent, trace = new_trace(world.draw, version)
        answer = world.send("GET", "/v1/customers?limit=1", headers={"traceparent": traceparent + more})
        line = lines.one(answer)
        expect_line("request line", line, differences(line, {"trace_id": trace}), answer, BECAUSE_TRACED)
    seen: set[object] = set()
    for given in (None, None, *invalid_traces(world.draw)):
        answer = world.send("GET", "/v1/customers?limit=1", headers={"traceparent": given} if given else {})
        line = lines.one(answer)
        trace_id = line.get("trace_id")
        wrong = _wrong_trace(trace_id, given, seen)
        expect(
            not wrong,
            expected="A trace id of the service's own, new for each request: 32 hexadecimal digits in small letters, not all 0.",
            got=f"request line: {wrong}\n{shown(line, ['trace_id'])}",
            because=BECAUSE_TRACED,
            did=answer.did,
        )
        seen.add(trace_id)


def _wrong_trace(trace_id: object, given: str | None, seen: Collection[object]) -> str:
    """What is wrong with the trace id of a request without a valid one; empty where nothing is."""
    if not is_trace(trace_id):
        return f'"trace_id" is {trace_id!r}, which is none'
    if str(trace_id) in (given or "").lower():
        return '"trace_id" is from a traceparent that is not valid'
    return '"trace_id" is that of an earlier request' if trace_id in seen else ""


@check("jobs-joined", needs=["trace-kept", "request-ids"])
def test_jobs_joined(world: World, lines: Lines, upstreams: Upstreams) -> None:
    """Each try at a job leaves one line with the ids of the request that ordered it."""
    invoice = world.sent()
    upstreams.payments.script(invoice["number"], refuse(503))
    for order, tries in (
        (world.charge(invoice["id"], _headers(world)), ("put off", "done")),
        (world.send("POST", "/v1/reports", REPORT, headers=_headers(world)), ("done",)),
        (world.send("POST", f"/v1/invoices/{invoice['id']}/reminders", headers=_headers(world)), ("done",)),
    ):
        job = done(order, 202, "POST of a job")
        request = lines.one(order)
        world.ended(job["id"])
        found = lines.awaited(order, "job", len(tries))
        ids = {name: request.get(name) for name in ("request_id", "trace_id", "tenant_id")}
        expect(
            len(found) == len(tries),
            expected=f'{len(tries)} lines with "message": "job" and the id of the request, {id_of(order)}: one for each try.',
            got="\n".join(
                [
                    f'{len(found)} "job" lines have the id of the request, not {len(tries)}',
                    *map(shown, found or lines.of_message("job")[-2:]),
                ]
            ),
            because="The request was answered with 202 in four milliseconds. What came of it stands in another process' lines, and nothing leads there.",
            did=order.did,
        )
        for at, (line, outcome) in enumerate(zip(found, tries, strict=True), 1):
            wanted = {**ids, "kind": job["kind"], "attempt": at, "outcome": outcome}
            wrong = differences({**line, "job_id": str(line.get("job_id"))}, {**wanted, "job_id": job["id"]})
            expect_line(f"job line of try {at}", line, wrong, order)


REPORT = {"from": "2026-01-01", "until": "2126-01-01"}


def _headers(world: World) -> dict[str, str]:
    return {"X-Request-ID": f"order-{world.word()}", "traceparent": new_trace(world.draw)[0]}


@check("calls-joined", needs=["trace-kept", "request-ids"])
def test_calls_joined(world: World, lines: Lines, upstreams: Upstreams) -> None:
    """Each call to an upstream carries the ids of the request, and leaves one line."""
    email = f"{world.word()}@example.org"
    invoice = world.draft(world.customer(email=email))
    upstreams.mail.script(email, refuse(503))
    upstreams.payments.script(invoice["number"], refuse(429))
    due = {"due_on": "2026-12-31"}
    sent = world.send("POST", f"/v1/invoices/{invoice['id']}/send", due, headers=_headers(world))
    expect_status("POST of .../send", sent, 200)
    charge = world.charge(invoice["id"], _headers(world))
    for order, upstream, name, subject, success in (
        (sent, upstreams.mail, "mail", email, 202),
        (charge, upstreams.payments, "payments", invoice["number"], 201),
    ):
        request = lines.one(order)
        calls = upstream.await_calls(subject, 2)
        _expect_carried(name, calls, request, order)
        found = lines.awaited(order, "upstream call", 2)
        ids = {each: request.get(each) for each in ("request_id", "trace_id")}
        ended = (("failed", 503 if name == "mail" else 429), ("success", success))
        expect(
            len(found) == len(ended),
            expected=f'Two calls to {name}, two lines with "message": "upstream call" and the id of the request, {id_of(order)}.',
            got="\n".join(
                [
                    f'{len(found)} "upstream call" lines of {name} have that id, not 2',
                    *map(shown, found or lines.of_message("upstream call")[-2:]),
                ]
            ),
            because="It was the upstream, it was not: what it answered, to which request, stands in these lines or nowhere.",
            did=order.did,
        )
        for at, (line, (outcome, status)) in enumerate(zip(found, ended, strict=True), 1):
            wanted = {**ids, "upstream": name, "outcome": outcome, "status": status}
            expect_line(f"line of call {at} to {name}", line, differences(line, wanted), order)
    world.all_ended()


def _expect_carried(name: str, calls: Sequence[Call], request: Line, order: Answer) -> None:
    wrong = []
    for at, call in enumerate(calls, 1):
        given, trace = call.headers.get("x-request-id"), trace_of(call.headers.get("traceparent"))
        if given != request.get("request_id"):
            wrong.append(
                f"call {at} to {name}: {_header('X-Request-ID', given)}, not {request.get('request_id')}"
            )
        if trace is None or trace != request.get("trace_id"):
            header = _header("traceparent", call.headers.get("traceparent"))
            wrong.append(f"call {at} to {name}: {header}, not of the trace {request.get('trace_id')}")
    expect(
        len(calls) >= 2 and not wrong,
        expected="Each call carries X-Request-ID and traceparent of the request that ordered the job, in each try.",
        got="\n".join(wrong) or f"calls to {name}: {len(calls)}, not 2",
        because=BECAUSE_TRACED,
        did=order.did,
    )


def _header(name: str, value: str | None) -> str:
    return f"no {name}" if value is None else f"{name} {value!r}"


@check("errors-once", needs=["contract-kept"])
def test_errors_once(world: World, lines: Lines) -> None:
    """A failure that nobody foresaw is told once, with its cause and where it happened."""
    for _ in range(2):
        name = f"Embargo {world.word()}"
        answer = world.send("POST", "/v1/customers", {"name": name, "email": "someone@example.org"})
        because = "The database refuses this customer with a message that nobody foresaw."
        expect_status("POST of a customer that the database refuses", answer, 500, because)
        lines.one(answer)
        _expect_no_more(world, lines)
        errors = [line for line in lines.of(id_of(answer)) if line.get("level") in ("error", "critical")]
        cause = md5(name.encode(), usedforsecurity=False).hexdigest()
        wrong = _wrong_errors(errors, cause)
        expect(
            not wrong,
            expected='One line of level error with the request\'s id: "error" has what Postgres said, "stack" where.',
            got="\n".join([wrong, *(shown(line, ("level", "error", "stack")) for line in errors[:3])]),
            because="Without the cause nobody can mend it. Told twice, each failure rings two bells, and ten look like twenty.",
            did=answer.did,
        )


def _wrong_errors(errors: Sequence[Line], cause: str) -> str:
    """What is wrong with the lines of level error about one failure; empty where nothing is."""
    if len(errors) != 1:
        return (
            f"one failure has {len(errors)} lines of level error"
            if errors
            else "no line of level error has the id"
        )
    if cause not in str(errors[0].get("error")):
        return 'line of level error: "error" lacks what Postgres said'
    return "" if errors[0].get("stack") else 'line of level error: no "stack"'
