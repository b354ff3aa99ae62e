"""Jobs over HTTP: order one, ask after it, wait for its end. What the service refuses becomes a Failure."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graders.check import Failure, expect
from graders.lesson_07.answers import seen, with_status
from graders.lesson_07.waiting import PAUSE, SECONDS
from graders.lesson_07.world import Invoice, World
from graders.probes.api import SHOWN_AS, Answer, Api

FIELDS = (
    "id",
    "kind",
    "status",
    "attempts",
    "invoice_id",
    "payment_id",
    "report",
    "reason",
    "detail",
    "created_at",
    "finished_at",
)
ENDS = ("done", "dead")
DUE = {"due_on": "2026-03-31"}
DAYS = {"from": "2020-01-01", "until": "2100-01-01"}

# Lines for a person, on rows that the dataset has.
TENANT = "-H 'X-Tenant-ID: 1'"
REMIND = f"curl -s -X POST {TENANT} {SHOWN_AS}/v1/invoices/11/reminders"
CHARGE = f"curl -s {TENANT} -d '{{\"amount_cents\": 100}}' -H 'Content-Type: application/json' {SHOWN_AS}/v1/invoices/11/charges"
SEND = f"curl -s {TENANT} -d '{{\"due_on\": \"2026-03-31\"}}' -H 'Content-Type: application/json' {SHOWN_AS}/v1/invoices/31/send"
JOBS = f"curl -s {TENANT} {SHOWN_AS}/v1/jobs"
MAIL, PAYMENTS, FAULTS = ("http://127.0.0.1:8082", "http://127.0.0.1:8083", "http://127.0.0.1:8084")


def told(upstream: str, words: str) -> str:
    """The line that scripts an upstream by hand."""
    return f"curl -s -X POST {upstream}/script/{words}"


def faulty(name: str, fault: str) -> str:
    """The line that makes a door faulty by hand."""
    return f"curl -s -X POST {FAULTS}/{name}/{fault}"


def workers(what: str) -> str:
    """The line that has all workers killed or stopped by hand, or one more started (`start?NAME=value`)."""
    return f"curl -s -X POST '{FAULTS}/worker/{what}'"


def web_with(variable: str) -> str:
    """The line that starts one more `web`, told otherwise than the others; it is $WEB afterwards."""
    return f"WEB=$(curl -s -X POST '{FAULTS}/web/start?{variable}' | grep -o 'http.*')"


def at_that_web(line: str) -> str:
    """The line, sent to the `web` of `web_with`."""
    return line.replace(SHOWN_AS, "$WEB")


@dataclass(frozen=True)
class Ordered:
    """A job that was taken on: what was answered, and where it is found."""

    answer: Answer
    path: str
    fields: dict[str, Any]


def taken(answer: Answer, because: str = "") -> Ordered:
    """The job of a 202. Raises Failure where it is none."""
    with_status(
        answer, 202, "the order of a job", because or "What takes long is taken on at once, and done later."
    )
    path = next((value for name, value in answer.headers.items() if name.lower() == "location"), "")
    path = path[path.index("/v1/") :] if "/v1/" in path else path
    fields = fields_of(answer)
    expect(
        path.startswith("/v1/jobs/"),
        expected="`Location` says where the job is found: /v1/jobs/{job_id}.",
        got=f"Location of the 202: {path or 'none'}\n{answer.summary()}",
        because="Without it nobody can ask what became of what they ordered.",
        did=answer.did,
    )
    return Ordered(answer, path, fields)


def fields_of(answer: Answer) -> dict[str, Any]:
    """A job's fields, all of them. Raises Failure."""
    fields = answer.json()
    missing = [name for name in FIELDS if not isinstance(fields, dict) or name not in fields]
    expect(
        not missing,
        expected="A job with all its fields (CONTRACT.md, Jobs).",
        got=f"the job lacks {', '.join(missing)}\n{answer.summary()}",
        because="Clients read these fields.",
        did=answer.did,
    )
    return dict(fields)


def remind(world: World, invoice: Invoice, api: Api | None = None) -> Ordered:
    return taken(world.post(f"{invoice.path}/reminders", api=api))


def charge(world: World, invoice: Invoice, cents: int, api: Api | None = None) -> Ordered:
    return taken(world.post(f"{invoice.path}/charges", {"amount_cents": cents}, api=api))


def report(world: World) -> Ordered:
    return taken(world.post("/v1/reports", DAYS))


def job_of(world: World, path: str) -> dict[str, Any]:
    """What the job says of itself now."""
    found = with_status(world.get(path), 200, f"GET {path}", "A job is found where its Location says.")
    return fields_of(found)


def mail_of(world: World, invoice: Invoice) -> dict[str, Any]:
    """The one mail job of an invoice that was sent."""
    answer = world.get("/v1/jobs", invoice_id=invoice.id, kind="mail")
    with_status(answer, 200, "GET /v1/jobs of one invoice", "Jobs are listed by invoice and kind.")
    items = answer.json().get("items")
    expect(
        isinstance(items, list) and len(items) == 1,
        expected="An invoice that was sent has one job for its mail.",
        got=seen(f"jobs of kind mail for invoice {invoice.id}", answer),
        because="Without one the customer never hears of the invoice; with two they hear twice.",
        did=answer.did,
    )
    return dict(items[0])


def ended(world: World, path: str, because: str, did: str = "", seconds: float = SECONDS) -> dict[str, Any]:
    """The job, once it is done or dead. Raises Failure where it does not end."""
    return all_ended(world, [path], because, did, seconds)[0]


def all_ended(
    world: World, paths: Sequence[str], because: str, did: str = "", seconds: float = SECONDS
) -> list[dict[str, Any]]:
    """All of them, once each is done or dead. Raises Failure for the first that does not end."""
    deadline = time.monotonic() + seconds
    found = []
    for path in paths:
        while (job := job_of(world, path))["status"] not in ENDS:
            if time.monotonic() > deadline:
                raise Failure(
                    expected="The job ends: it is done, or dead with a reason.",
                    got=f"the {job['kind']} job after {seconds:.0f} s: {job['status']}, attempts {job['attempts']}",
                    because=because,
                    did=did or f"{CHARGE}; sleep 5; {JOBS}",
                )
            time.sleep(PAUSE)
        found.append(job)
    return found


def expect_done(job: dict[str, Any], because: str, did: str = "") -> None:
    expect(
        job["status"] == "done",
        expected=f"The {job['kind']} job is done.",
        got=f"the {job['kind']} job: {job['status']}, attempts {job['attempts']}, reason {job['reason']}, detail {str(job['detail'])[:200]}",
        because=because,
        did=did or f"{CHARGE}; sleep 5; {JOBS}",
    )
