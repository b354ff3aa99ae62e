"""A job and what it is about are committed together: no crash and no fault between them loses or invents one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from graders.check import CannotJudge, Failure, check, expect
from graders.lesson_07 import jobs
from graders.lesson_07.answers import seen, with_status
from graders.lesson_07.jobs import CHARGE, DUE, JOBS, MAIL, REMIND, SEND, faulty, workers
from graders.lesson_07.waiting import eventually
from graders.lesson_07.world import Coming, Invoice, World
from graders.probes.api import Answer, Api
from graders.probes.interventions import commit_held_up, commit_refused
from graders.probes.postgres import psql
from graders.probes.service import Process

BECAUSE = "An invoice that is sent and never arrives is not paid. One that arrives and was not sent is paid, and nobody knows what for."
BECAUSE_BOOKED = "What was charged once and booked twice is money that the books have and the bank has not."
SOON, CENTS = 2.0, 400
PAYMENTS_OF_11 = "SELECT * FROM payments WHERE invoice_id = 11"
UNAVAILABLE = "urn:problem-type:billing:dependency-unavailable"


@check("job-with-row", needs=["done-once"])
def test_together(world: World, dying: Coming, client: Callable[[str], Api]) -> None:
    """A job and its cause are committed together: whatever dies in between, nothing is lost, invented or booked twice."""
    world.workers()
    charged, path = _killed_once_it_was_booked(world)
    world.workers()
    _expect_no_mail_of_what_failed(world)
    _expect_mail_of_what_was_sent(world, dying.process, client)
    _expect_booked_once(world, charged, path)


def _killed_once_it_was_booked(world: World) -> tuple[Invoice, str]:
    """A charge's payment is committed; its worker hears no more of it, and is killed. The charge, and its job's path."""
    invoice = world.invoice(cents=50_000)
    world.hold(invoice, works=True)
    path = jobs.charge(world, invoice, CENTS).path
    world.upstreams.payments.await_calls(invoice.number, 1)
    with commit_held_up(world.postgres, invoice.id) as held:
        world.let_go()
        if not eventually(held.somebody):
            raise CannotJudge("The commit of a payment could not be held up.", "Grade again.")
        with world.gates.postgres.hold():
            held.let_go()
            eventually(lambda: world.paid(invoice)[0] == CENTS, SOON)
            world.no_worker()
    return invoice, path


def _expect_booked_once(world: World, invoice: Invoice, path: str) -> None:
    did = f"{CHARGE}; {workers('kill')}; {workers('start')}; sleep 5; {psql(PAYMENTS_OF_11)}"
    jobs.expect_done(jobs.ended(world, path, BECAUSE_BOOKED, did), BECAUSE_BOOKED, did)
    cents, payments = world.paid(invoice)
    expect(
        (cents, payments) == (CENTS, 1),
        expected=f"A worker that dies right after it has booked a payment has ended the job, too: one payment of {CENTS}.",
        got=f"killed right after the payment was committed: {payments} payments make {cents}",
        because=BECAUSE_BOOKED,
        did=did,
    )


def _expect_no_mail_of_what_failed(world: World) -> None:
    """The database refuses the commit: nothing was sent."""
    failed, sent = world.invoice("draft"), world.invoice("draft")
    with commit_refused(world.postgres, failed.id):
        answer = world.post(f"{failed.path}/send", DUE)
    did = f"make the transaction of this fail at its commit: {SEND}"
    expect(
        answer.status >= 500 and _status(world, failed) == "draft",
        expected="When the database refuses the commit, the answer is a 5xx and the invoice stays a draft.",
        got=f"{seen('POST send, commit refused', answer)}\nthe invoice is {_status(world, failed)}",
        because=BECAUSE,
        did=did,
    )
    with_status(world.post(f"{sent.path}/send", DUE), 200, "POST send of another", "Others can be sent.")
    jobs.expect_done(jobs.ended(world, f"/v1/jobs/{jobs.mail_of(world, sent)['id']}", BECAUSE), BECAUSE)
    listed = world.get("/v1/jobs", invoice_id=failed.id).json()
    expect(
        not world.mails(failed) and listed.get("total") == 0,
        expected="An invoice that was not sent has no job, and its customer gets no mail.",
        got=f"of an invoice not sent: {len(world.mails(failed))} mails, {listed.get('total')} jobs",
        because=BECAUSE,
        did=did,
    )
    again = world.post(f"{failed.path}/send", DUE)
    with_status(again, 200, "POST send again", "It can be sent as soon as the database lets it.")
    jobs.expect_done(jobs.ended(world, f"/v1/jobs/{jobs.mail_of(world, failed)['id']}", BECAUSE), BECAUSE)


def _expect_mail_of_what_was_sent(world: World, dying: Process, client: Callable[[str], Api]) -> None:
    """The queue is silent, and the process that sends an invoice is killed as soon as it has committed that."""
    apis = [client(dying.url) for _ in range(2)]
    draft, owed = world.invoice("draft"), world.invoice()
    orders: list[tuple[str, object]] = [(f"{draft.path}/send", DUE), (f"{owed.path}/reminders", None)]
    did = f"{faulty('queue', 'hold')}; {SEND} & kill -9 web; {faulty('queue', 'heal')}; start it again; sleep 3; curl -s {MAIL}/calls"
    with (
        ThreadPoolExecutor(2) as threads,
        world.gates.queue.hold(),
        commit_held_up(world.postgres, draft.id) as held,
    ):
        begun = [
            threads.submit(_answer, api, world.tenant, path, body)
            for api, (path, body) in zip(apis, orders, strict=True)
        ]
        # Either it is answered, or it waits: for the queue, or for us at its commit.
        eventually(lambda: begun[1].done() and (begun[0].done() or held.somebody()), SOON)
        with world.gates.postgres.hold():
            if held.somebody():
                held.let_go()
                eventually(lambda: _status(world, draft) == "sent", SOON)
            dying.kill()
        answers = [each.result() for each in begun]
    wanted = {0: _status(world, draft) == "sent", 1: bool(answers[1] and answers[1].status == 202)}
    world.workers()
    for number, invoice in enumerate((draft, owed)):
        if wanted[number]:
            calls = world.upstreams.mail.await_calls(invoice.email, 1)
            expect(
                len(calls) >= 1,
                expected="What is sent, or was answered with 202, has its mail, though the process died and the queue had not heard of it.",
                got=f"no mail came of POST {orders[number][0]}, which took effect",
                because=BECAUSE,
                did=did,
            )
    later = jobs.remind(world, world.invoice()).path
    jobs.expect_done(jobs.ended(world, later, BECAUSE), BECAUSE)
    works = [world.upstreams.mail.works(each.email) for each in (draft, owed)]
    expect(
        works[0] == int(wanted[0]) and works[1] <= 1,
        expected="One mail for what is sent, none for what is not.",
        got=f"{works[0]} mails, and the invoice is {_status(world, draft)}; {works[1]} reminders",
        because=BECAUSE,
        did=did,
    )


@check("queue-cut", needs=["done-once"])
def test_cut(world: World) -> None:
    """While the queue does not answer, orders are taken on as ever or refused with 503; afterwards all are done once."""
    world.workers()
    draft, owed, paid = world.invoice("draft"), world.invoice(), world.invoice(cents=50_000)
    orders: list[tuple[str, object, Invoice]] = [
        (f"{draft.path}/send", DUE, draft),
        (f"{owed.path}/reminders", None, owed),
        (f"{paid.path}/charges", {"amount_cents": 300}, paid),
    ]
    before = world.gates.queue.connections
    with world.gates.queue.refuse() as landed:
        answers = [world.post(path, body) for path, body, _ in orders]
        listed = world.get("/v1/jobs")
    if before and not landed.live and not landed.connections:
        raise CannotJudge("Nobody was connected to the queue when it was cut.", "Grade again.")
    did = f"{faulty('queue', 'refuse')}; {REMIND}; {faulty('queue', 'heal')}; sleep 3; {JOBS}"
    for answer, (path, _, _) in zip(answers, orders, strict=True):
        expect(
            answer.status in (200, 202) or _unavailable(answer),
            expected=f"POST {path}: answered as ever, or 503 with the dependency queue.",
            got=f"{seen(f'POST {path}, queue cut', answer)}\n{landed.proof()}",
            because="A queue that is down for a minute must not look like a bug of the caller's.",
            did=did,
        )
    expect(
        listed.status == 200 or _unavailable(listed),
        expected="Jobs can be listed, or it is 503.",
        got=seen("GET /v1/jobs, queue cut", listed),
        because="An operator looks there first.",
        did=f"{faulty('queue', 'refuse')}; {JOBS}",
    )
    for answer, (path, _, invoice) in zip(answers, orders, strict=True):
        calls = world.charges if path.endswith("charges") else world.mails
        if answer.status < 300:
            expect(
                eventually(lambda calls=calls, invoice=invoice: len(calls(invoice)) == 1),  # type: ignore[misc]
                expected="What was taken on is done once the queue is back, by the workers that were there all along.",
                got=f"{len(calls(invoice))} calls came for POST {path}.",
                because=BECAUSE,
                did=did,
            )
    again = world.invoice()
    jobs.expect_done(jobs.ended(world, jobs.remind(world, again).path, BECAUSE, did), BECAUSE, did)
    refused = [
        invoice for answer, (_, _, invoice) in zip(answers, orders, strict=True) if answer.status >= 300
    ]
    made = [call for invoice in refused for call in (*world.mails(invoice), *world.charges(invoice))]
    expect(
        not made and (answers[0].status == 200) == (_status(world, draft) == "sent"),
        expected="What was refused has changed nothing, and nothing of it is done.",
        got=f"of refused orders: {len(made)} calls came, the draft is {_status(world, draft)}",
        because=BECAUSE,
        did=did,
    )


def _unavailable(answer: Answer) -> bool:
    problem: Any = answer.json() if answer.status == 503 else {}
    return (
        isinstance(problem, dict)
        and problem.get("type") == UNAVAILABLE
        and problem.get("dependency") == "queue"
    )


def _status(world: World, invoice: Invoice) -> str:
    [(status,)] = world.rows("SELECT status FROM public.invoices WHERE id = %s", [invoice.id])
    return str(status)


def _answer(api: Api, tenant: int, path: str, body: object) -> Answer | None:
    """None where the process was gone before it answered."""
    try:
        return api.post(path, tenant=tenant, json=body)
    except Failure:
        return None
