"""What was taken on happens once, is told as it is, and survives lost answers."""

import pytest

from graders.check import check, expect
from graders.lesson_07 import jobs
from graders.lesson_07.answers import seen
from graders.lesson_07.effects import BECAUSE_NONE, BECAUSE_ONCE, expect_once, expect_one_mail
from graders.lesson_07.failing import Failing, judged_later
from graders.lesson_07.jobs import CHARGE, JOBS, MAIL, PAYMENTS, REMIND, told, workers
from graders.lesson_07.waiting import eventually
from graders.lesson_07.world import Invoice, World
from graders.probes.ahead import begin
from graders.probes.redis_store import RedisStore
from graders.probes.upstreams import LOSE

AT_ONCE = 6
OVERPAYMENT = "urn:problem-type:billing:overpayment"
TIMEOUT = 5.0  # UPSTREAM_TIMEOUT_MS of lab.toml
GIVEN_UP = TIMEOUT * 0.9
BECAUSE_TOLD = (
    "Somebody asks for the status because they act on it: they tell a customer, or they order it again."
)


@check("done-once", needs=["request-short"])
def test_once(world: World, failing: Failing) -> None:
    """Each job is done exactly once, by one call with a key of its own, and a charge books one payment."""
    world.workers(2)
    invoices = [world.invoice(cents=50_000) for _ in range(AT_ONCE)]
    charged = [jobs.charge(world, each, 700 + number) for number, each in enumerate(invoices[1:], 1)]
    charged += _ordered_twice(world, invoices[0], 700)
    reminded = [jobs.remind(world, each) for each in invoices]
    paths = [job.path for job in (*charged, *reminded)]
    for job in jobs.all_ended(world, paths, BECAUSE_NONE):
        jobs.expect_done(job, BECAUSE_NONE)
    for number, invoice in enumerate(invoices):
        expect_once(world, invoice, 700 + number, mails=1, charges=1)
    mail, charge = world.mails(invoices[0])[0], world.charges(invoices[0])[0]
    right = {"amount_cents": 700, "currency": world.currency, "reference": invoices[0].number}
    expect(
        dict(charge.body) == right and invoices[0].number in str(mail.body.get("subject")),
        expected=f"The provider is asked for {right}; the mail's subject names the invoice.",
        got=f"charge: {dict(charge.body)}\nthe mail's subject: {mail.body.get('subject')!r}",
        because="What is asked for is what somebody pays.",
        did=f"{CHARGE}; sleep 2; curl -s {PAYMENTS}/calls",
    )
    keys = [call.key for each in invoices for call in (*world.mails(each), *world.charges(each))]
    faults = (*world.upstreams.mail.faults(), *world.upstreams.payments.faults())
    expect(
        len({*keys}) == len(keys) and not faults,
        expected="Each job has an idempotency key of its own, and the upstreams are called as CONTRACT.md has it.",
        got=f"{len({*keys})} keys for {len(keys)} jobs; {faults[0] if faults else 'no other faults'}",
        because="Two jobs under one key are one to the upstream: the second is never done.",
        did=f"{CHARGE}; {CHARGE}; sleep 2; curl -s {PAYMENTS}/calls",
    )


def _ordered_twice(world: World, invoice: Invoice, cents: int) -> list[jobs.Ordered]:
    """A charge whose order was repeated, with the Idempotency-Key of the first: one job."""
    key = {"Idempotency-Key": f"order-{invoice.number}"}
    first, second = (
        jobs.taken(
            api.send(
                "POST",
                f"{invoice.path}/charges",
                tenant=world.tenant,
                json={"amount_cents": cents},
                headers=key,
            )
        )
        for api in (world.api, world.other)
    )
    expect(
        first.path == second.path,
        expected="An order that is repeated with its Idempotency-Key is answered with the same job.",
        got=f"one order sent twice: {first.path}, then {second.path}",
        because=BECAUSE_ONCE,
        did=f"{CHARGE} -H 'Idempotency-Key: k'; {CHARGE} -H 'Idempotency-Key: k'",
    )
    return [first]


@check("status-honest", needs=["done-once"])
def test_status(world: World) -> None:
    """A job is queued, then running while its work is under way, and done only once the effect is there."""
    world.workers(2)
    invoice = world.invoice(cents=50_000)
    world.hold(invoice, works=True)
    paths = {"mail": jobs.remind(world, invoice).path, "charge": jobs.charge(world, invoice, 900).path}
    world.upstreams.mail.await_calls(invoice.email, 1)
    world.upstreams.payments.await_calls(invoice.number, 1)
    for kind, path in paths.items():
        job = jobs.job_of(world, path)
        expect(
            (job["status"], job["attempts"], job["finished_at"]) == ("running", 1, None),
            expected=f"While its call is under way, the {kind} job is running, attempts 1, and has no finished_at.",
            got=f"{kind} under way: {job['status']}, attempts {job['attempts']}, finished_at {job['finished_at']}",
            because=BECAUSE_TOLD,
            did=f"{told(PAYMENTS, 'hold')}; {CHARGE}; sleep 1; {JOBS}",
        )
    # 900 of it are being charged.
    more = world.post(f"{invoice.path}/charges", {"amount_cents": invoice.cents})
    expect(
        more.status == 409 and more.json().get("type") == OVERPAYMENT,
        expected="What open charges will take is not outstanding any more: to charge the whole as well is 409, overpayment.",
        got=seen("an order to charge the whole, of which a part is being charged", more),
        because=BECAUSE_ONCE,
        did=more.did,
    )
    world.let_go()
    for job in jobs.all_ended(world, list(paths.values()), BECAUSE_NONE):
        jobs.expect_done(job, BECAUSE_NONE)
        payment = job["payment_id"]
        found = payment and world.get(f"{invoice.path}/payments/{payment}")
        there = job["kind"] == "mail" or (
            found and found.status == 200 and found.json()["amount_cents"] == 900
        )
        expect(
            bool(there and job["finished_at"] and job["attempts"] == 2),
            expected="Done, it has finished_at, attempts 2 (the first answer was lost), and a charge names its payment.",
            got=f"{job['kind']}, its first answer lost: {job['status']}, attempts {job['attempts']}\npayment_id {job['payment_id']}, finished_at {job['finished_at']}",
            because=BECAUSE_TOLD,
            did=f"{told(PAYMENTS, 'lose')}; {CHARGE}; sleep 3; {JOBS}",
        )


@check("lost-answer", needs=["done-once"])
def test_lost(world: World) -> None:
    """An upstream that did the work and lost its answer is asked again under the same key: it happened once."""
    world.workers(2)
    invoice = world.invoice(cents=50_000)
    world.script(invoice, LOSE, LOSE)
    paths = [jobs.charge(world, invoice, 800).path, jobs.remind(world, invoice).path]
    did = f"{told(PAYMENTS, 'lose,lose')}; {CHARGE}; sleep 4; curl -s {PAYMENTS}/calls"
    for job in jobs.all_ended(world, paths, BECAUSE_NONE, did):
        jobs.expect_done(job, BECAUSE_NONE, did)
    expect_once(world, invoice, 800, mails=3, charges=3, did=did)
    mailed = "The mail goes out once: all three calls have the same Idempotency-Key."
    expect_one_mail(
        world, invoice, mailed, f"{told(MAIL, 'lose,lose')}; {REMIND}; sleep 4; curl -s {MAIL}/calls"
    )


@check("delivered-twice", needs=["done-once"])
def test_twice(world: World, queue: RedisStore) -> None:
    """A job that the queue delivers twice, to another worker while the first has it in hand, happens once."""
    world.workers(2)
    invoice = world.invoice(cents=50_000)
    world.hold(invoice, works=True)
    paths = [jobs.charge(world, invoice, 450).path, jobs.remind(world, invoice).path]
    world.upstreams.payments.await_calls(invoice.number, 1)
    world.upstreams.mail.await_calls(invoice.email, 1)
    for _ in range(3):
        queue.deliver_again()
    eventually(lambda: queue.undelivered() == 0)
    calls = (len(world.charges(invoice)), len(world.mails(invoice)))
    did = f"{told(PAYMENTS, 'hold')}; {CHARGE}; XADD the entry of the stream once more; curl -s {PAYMENTS}/calls"
    expect(
        calls == (1, 1),
        expected="While a job is in hand, nobody else begins it, however often it is delivered.",
        got=f"delivered again: {calls[0]} charges and {calls[1]} mails under way",
        because="Queues deliver at least once. Only the one place where a job is taken in hand can make it one.",
        did=did,
    )
    world.let_go()
    for job in jobs.all_ended(world, paths, BECAUSE_NONE, did):
        jobs.expect_done(job, BECAUSE_NONE, did)
    expect_once(world, invoice, 450, mails=2, charges=2, did=did)


@check("lease-kept", needs=["done-once"])
@judged_later
def test_lease(world: World, failing: Failing, request: pytest.FixtureRequest) -> None:
    """A job that takes longer than its lease stays with the worker that has it, as long as that one lives."""
    for case in failing.held:
        upstream = world.upstreams.payments if case.kind == "charge" else world.upstreams.mail
        upstream.await_calls(case.invoice.number if case.kind == "charge" else case.invoice.email, 2)
        between = failing.waits(case)
        did = f"{workers('start')}; {told(PAYMENTS, 'hold')}; {CHARGE}; sleep 8; curl -s {PAYMENTS}/calls"
        expect(
            bool(between),
            expected="A call that nobody answers is given up after UPSTREAM_TIMEOUT_MS, and made again.",
            got=f"{case.kind}: no second call came after one that nobody answered",
            because=BECAUSE_NONE,
            did=did,
        )
        expect(
            between[0] >= GIVEN_UP,
            expected=f"Nobody else takes a {case.kind} from a worker that is waiting for its answer: the next call comes after UPSTREAM_TIMEOUT_MS.",
            got=f"{case.kind}: called again after {between[0]:.1f} s, the first call had {TIMEOUT:.0f} s",
            because="Two workers at one job is how things happen twice. The lease is for the dead, not for the slow.",
            did=did,
        )
    # From here on no check needs the workers that there are, and nobody is recorded any more.
    begin(request, "shifts")
