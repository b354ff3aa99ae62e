"""What takes long is taken on at once, and refused where there is no room: the caller never waits for others."""

import csv
from collections.abc import Callable
from typing import Any

from graders.check import Failure, check, expect
from graders.lesson_07 import jobs
from graders.lesson_07.answers import seen, with_status
from graders.lesson_07.jobs import (
    CHARGE,
    DAYS,
    DUE,
    JOBS,
    MAIL,
    PAYMENTS,
    REMIND,
    SEND,
    at_that_web,
    told,
    web_with,
    workers,
)
from graders.lesson_07.policies import Policies
from graders.lesson_07.summaries import expect_right, summary
from graders.lesson_07.waiting import eventually
from graders.lesson_07.world import ODD_LIMIT, World
from graders.probes.api import Answer, Api
from graders.probes.service import Process
from graders.probes.upstreams import refuse

HEADER = "id,customer_id,number,status,currency,total_cents,paid_cents,due_on,created_at"
SECONDS_FOR_OTHERS = 10.0
BECAUSE_KEPT = "Everything else in this lesson stands on these routes."
BECAUSE_SHORT = "Whoever waits for somebody else's server waits as long as that one likes, and holds a connection all the while."
NARROW = f"{workers('kill')}; {web_with('QUEUE_LIMIT=3')}; "
FULL = f"{NARROW}for i in 1 2 3; do {at_that_web(CHARGE)}; done; "
BECAUSE_FULL = "A queue without a limit grows until memory ends, and everybody in it waits longer. Who is told to come back later can."


@check("contract-kept")
def test_contract(world: World) -> None:
    """The routes of jobs, exports and summaries are there and answer as the contract says."""
    world.workers()
    invoice = world.invoice(cents=50_000)
    ordered = [
        jobs.charge(world, invoice, 20_000),
        jobs.remind(world, invoice),
        jobs.report(world),
    ]
    for kind, job in zip(("charge", "mail", "report"), ordered, strict=True):
        expect(
            job.fields["kind"] == kind,
            expected=f"The job has the kind {kind!r}.",
            got=seen(f"the order of a {kind}", job.answer),
            because=BECAUSE_KEPT,
            did=job.answer.did,
        )
        found = jobs.ended(world, job.path, BECAUSE_KEPT)
        jobs.expect_done(found, BECAUSE_KEPT)
    _expect_listed(world)
    found = jobs.job_of(world, ordered[2].path)["report"]
    right = {"invoices": 1, "total_cents": 50_000}
    expect(
        isinstance(found, dict) and right.items() <= found.items() and "paid_cents" in found,
        expected=f"The report counts the tenant's invoices: {right}, and paid_cents.",
        got=f"the report: {found!r}",
        because="A report that is wrong is worse than none.",
    )
    draft = world.invoice("draft")
    sent = world.post(f"{draft.path}/send", DUE)
    with_status(sent, 200, "POST send", "Sending an invoice is answered as ever.")
    expect_right(world, summary(world, draft.customer), draft.customer, "A summary is what the rows say.")
    export = world.api.send(
        "GET", "/v1/exports/invoices.csv", tenant=world.tenant, headers={"Accept": "text/csv"}
    )
    with_status(export, 200, "GET /v1/exports/invoices.csv", BECAUSE_KEPT)
    lines = list(csv.reader(export.body.decode("utf-8", "replace").splitlines()))
    expect(
        bool(lines) and lines[0] == HEADER.split(",") and len(lines) == 3,
        expected=f"A header and a line for each of two invoices: {HEADER}",
        got=seen("GET /v1/exports/invoices.csv", export),
        because=BECAUSE_KEPT,
        did=export.did,
    )


def _expect_listed(world: World) -> None:
    """By status and kind, with how many there are."""
    for params, number in (
        ({}, 3),
        ({"kind": "charge"}, 1),
        ({"status": "done"}, 3),
        ({"status": "dead"}, 0),
    ):
        what = f"GET /v1/jobs with {params or 'no filter'}"
        answer = with_status(world.get("/v1/jobs", **params), 200, what, "Jobs can be listed.")
        listed: Any = answer.json()
        expect(
            isinstance(listed, dict)
            and isinstance(listed.get("items"), list)
            and listed.get("total") == number == len(listed["items"]),
            expected=f"{number} jobs with {params or 'no filter'}, and `total` says so.",
            got=seen(what, answer),
            because="`total` is how an operator sees how much is waiting and how much has died.",
            did=answer.did,
        )


@check("queues-written", needs=["contract-kept"])
def test_written(policies: Policies) -> None:
    """queues.toml says for every kind what is retried, how often, and where it ends."""
    expect(len(policies) == 3, expected="Three kinds.", got=f"{len(policies)}", because="Each has its own.")


@check("request-short", needs=["contract-kept"])
def test_short(world: World) -> None:
    """Who orders is answered at once, whatever upstreams and workers do: the request touches no upstream."""
    world.no_worker()
    invoice, draft = world.invoice(), world.invoice("draft")
    world.hold(invoice)
    world.hold(draft)
    stuck = f"{told(MAIL, 'hold')}; {told(PAYMENTS, 'hold')}; "
    orders: list[tuple[str, object, int, str]] = [
        (f"{draft.path}/send", DUE, 200, f"{told(MAIL, 'hold')}; {SEND}"),
        (f"{invoice.path}/reminders", None, 202, f"{told(MAIL, 'hold')}; {REMIND}"),
        (f"{invoice.path}/charges", {"amount_cents": 100}, 202, f"{told(PAYMENTS, 'hold')}; {CHARGE}"),
        ("/v1/reports", DAYS, 202, stuck + JOBS),
    ]
    for path, body, status, did in orders:
        answer = _asked(world, path, body, did)
        expect(
            answer.status == status,
            expected=f"POST {path}: status {status}, though both upstreams answer nobody and no worker runs.",
            got=seen(f"POST {path}", answer),
            because=BECAUSE_SHORT,
            did=did,
        )
        calls = world.mails(draft) + world.mails(invoice) + world.charges(invoice)
        expect(
            not calls,
            expected="No upstream is called while no worker runs.",
            got=f"{len(calls)} upstream calls came from POST {path}",
            because=BECAUSE_SHORT,
            did=did,
        )
    listed = world.get("/v1/jobs", status="queued")
    expect(
        listed.status == 200 and listed.json().get("total") == 4,
        expected="All four wait: total 4 with status=queued. Nobody has done them, for no worker runs.",
        got=seen("GET /v1/jobs?status=queued after four orders", listed),
        because="Work that the request does itself under another name is still done in the request.",
        did=f"{SEND}; {JOBS}?status=queued",
    )
    world.let_go()
    world.workers()
    reached = eventually(lambda: bool(world.mails(draft) and world.mails(invoice) and world.charges(invoice)))
    expect(
        reached,
        expected="Once a worker runs, the upstreams are called.",
        got=f"with a worker: {len(world.mails(draft)) + len(world.mails(invoice))} mails, {len(world.charges(invoice))} charges asked for",
        because="What was taken on must be done.",
        did=f"{CHARGE}; sleep 5; {JOBS}",
    )


def _asked(world: World, path: str, body: object, did: str) -> Answer:
    """What is answered; who hangs is told what it hangs on."""
    try:
        return world.post(path, body)
    except Failure as failure:
        raise Failure(
            expected="The order is taken on at once, though both upstreams answer nobody and no worker runs.",
            got=f"POST {path}: {failure.got}",
            because=BECAUSE_SHORT,
            did=did,
        ) from None


@check("queue-full", needs=["request-short"])
def test_full(world: World, odd_one: Process, client: Callable[[str], Api]) -> None:
    """A full queue refuses with 503 and Retry-After, changes nothing, and takes on again when there is room."""
    world.workers()
    invoice, draft = world.invoice(cents=90_000), world.invoice("draft")
    dead = _dead_letter(world)
    _expect_drained(world)
    world.no_worker()
    narrow = client(odd_one.url)
    for number in range(ODD_LIMIT):
        answer = world.post(f"{invoice.path}/charges", {"amount_cents": 1 + number}, api=narrow)
        expect(
            answer.status == 202,
            expected=f"Job {number + 1} of at most 3 that may be open is taken on.",
            got=seen(f"order {number + 1} with QUEUE_LIMIT={ODD_LIMIT}", answer),
            because="A limit that refuses too early wastes what there is.",
            did=f"{NARROW}for i in $(seq {number + 1}); do {at_that_web(CHARGE)}; done",
        )
    orders: list[tuple[str, object]] = [
        (f"{invoice.path}/charges", {"amount_cents": 1}),
        (f"{invoice.path}/reminders", None),
        ("/v1/reports", DAYS),
        (f"{draft.path}/send", DUE),
        (f"{dead}/requeue", None),
    ]
    for path, body in orders:
        _expect_full(world, narrow, path, body)
    left = world.rows("SELECT status FROM public.invoices WHERE id = %s", [draft.id])
    expect(
        left == [("draft",)] and jobs.job_of(world, dead)["status"] == "dead",
        expected="What was refused has changed nothing: the draft is a draft, the dead letter is dead.",
        got=f"after refusals: the draft is {left[0][0] if left else 'gone'}, the dead letter {jobs.job_of(world, dead)['status']}",
        because="Whoever is refused tries again later, and must find things as they were.",
        did=f"{FULL}{at_that_web(SEND)}",
    )
    world.workers()
    _expect_drained(world)
    answer = world.post(f"{invoice.path}/reminders", api=narrow)
    expect(
        answer.status == 202,
        expected="Once the jobs are done, there is room again.",
        got=seen("an order after all jobs are done", answer),
        because="A queue that stays full is down.",
        did=f"{FULL}{workers('start')}; sleep 3; {at_that_web(REMIND)}",
    )


def _dead_letter(world: World) -> str:
    """The path of a dead job."""
    invoice = world.invoice()
    world.script(invoice, then=refuse(422))
    path = jobs.charge(world, invoice, 5).path
    jobs.ended(world, path, "A refusal for good ends the job.")
    return path


def _expect_drained(world: World) -> None:
    expect(
        eventually(lambda: _open_jobs(world, world.tenant) == 0),
        expected="With a worker and upstreams that work, every job ends.",
        got=f"{_open_jobs(world, world.tenant)} jobs are still open",
        because="Jobs that stay open fill the queue.",
        did=f"{JOBS}?status=queued",
    )
    # The limit counts the jobs of all tenants: what earlier checks have ordered is to end, too, but is not judged here.
    eventually(lambda: _open_jobs(world, *world.tenants) == 0, SECONDS_FOR_OTHERS)


def _open_jobs(world: World, *tenants: int) -> int:
    lists = [
        world.api.get("/v1/jobs", tenant=tenant, params={"status": status}).json()
        for tenant in tenants
        for status in ("queued", "running")
    ]
    totals = [listed.get("total") if isinstance(listed, dict) else None for listed in lists]
    return sum(total if isinstance(total, int) else 1 for total in totals)


def _expect_full(world: World, narrow: Api, path: str, body: object) -> None:
    answer = world.post(path, body, api=narrow)
    headers = {name.lower(): value for name, value in answer.headers.items()}
    problem = answer.json() if answer.status == 503 else {}
    full = isinstance(problem, dict) and problem.get("type") == "urn:problem-type:billing:queue-full"
    expect(
        full and headers.get("retry-after", "").strip() not in ("", "0"),
        expected=f"POST {path} is 503, queue-full, with Retry-After, while QUEUE_LIMIT jobs are open.",
        got=f"{seen(f'POST {path}, full', answer)}\nRetry-After: {headers.get('retry-after')}",
        because=BECAUSE_FULL,
        did=f"{FULL}{at_that_web(CHARGE)}",
    )
