"""What was taken on happens once, is told as it is, and survives lost answers, killed workers and stops."""

import signal

from graders.check import check, expect
from graders.lesson_07 import jobs
from graders.lesson_07.failing import Failing, judged_later
from graders.lesson_07.jobs import CHARGE, JOBS, MAIL, PAYMENTS, REMIND, told, workers
from graders.lesson_07.waiting import eventually, settled
from graders.lesson_07.world import Invoice, World
from graders.probes.redis_store import RedisStore
from graders.probes.service import Operated, Process
from graders.probes.upstreams import LOSE, waits

AT_ONCE = 6
HELD = 14  # more than one worker has hands for
PATIENT, MEANWHILE = 60, 20.0  # seconds: an upstream may hang for so long, and others are done well before
TIMEOUT = 5.0  # UPSTREAM_TIMEOUT_MS of lab.toml
GIVEN_UP = TIMEOUT * 0.9
STOP_WITHIN = 25.0
HEARD = 0.3  # seconds: a busy machine gives a process no processor for so long, and till then it has heard of no signal
BECAUSE_ONCE = (
    "A charge that is made twice is a customer's money; a mail that comes twice is a customer's patience."
)
BECAUSE_NONE = "What was taken on was promised. A job that is lost is found by the customer."
BECAUSE_TOLD = (
    "Somebody asks for the status because they act on it: they tell a customer, or they order it again."
)
BECAUSE_APART = "One server that hangs must not take everything else down with it."
KILL = f"{workers('kill')}; {workers('start')}; "


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
        _expect_once(world, invoice, 700 + number, mails=1, charges=1)
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


def _expect_once(
    world: World, invoice: Invoice, cents: int, *, mails: int, charges: int, did: str = ""
) -> None:
    """So many calls, the work once, and the payment booked once."""
    works = world.upstreams.payments.works(invoice.number)
    seen = (len(world.mails(invoice)), len(world.charges(invoice)), works, *world.paid(invoice))
    expect(
        seen == (mails, charges, 1, cents, 1),
        expected=f"{mails} mails, {charges} charges were asked for, the card was charged once, and one payment of {cents} is booked.",
        got=f"{seen[0]} mails, {seen[1]} charges were asked for, the card was charged {works} times, {seen[4]} payments make {seen[3]}",
        because=BECAUSE_ONCE,
        did=did or f"{CHARGE}; sleep 3; curl -s {PAYMENTS}/calls",
    )


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
    _expect_once(world, invoice, 800, mails=3, charges=3, did=did)
    expect(
        world.upstreams.mail.works(invoice.email) == 1,
        expected="The mail goes out once: all three calls have the same Idempotency-Key.",
        got=f"one mail went out {world.upstreams.mail.works(invoice.email)} times",
        because=BECAUSE_ONCE,
        did=f"{told(MAIL, 'lose,lose')}; {REMIND}; sleep 4; curl -s {MAIL}/calls",
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
    _expect_once(world, invoice, 450, mails=2, charges=2, did=did)


@check("lease-kept", needs=["done-once"])
@judged_later
def test_lease(world: World, failing: Failing) -> None:
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


@check("worker-killed", needs=["done-once"])
def test_killed(world: World) -> None:
    """A worker that is killed in the middle loses nothing and doubles nothing: another one takes over."""
    world.workers()
    lost, open_ = world.invoice(cents=50_000), world.invoice(cents=50_000)
    world.hold(lost, works=True)  # the money is taken, nobody has heard of it
    world.hold(open_)
    paths = []
    for invoice in (lost, open_):
        paths += [jobs.charge(world, invoice, 600).path, jobs.remind(world, invoice).path]
    for invoice in (lost, open_):
        calls = world.upstreams.payments.await_calls(invoice.number, 1)
        mails = world.upstreams.mail.await_calls(invoice.email, 1)
        expect(
            bool(calls and mails),
            expected="A worker has the jobs in hand.",
            got=f"in hand: {len(calls)} charges and {len(mails)} mails",
            because=BECAUSE_NONE,
        )
    world.no_worker()
    world.let_go()
    world.workers()
    did = f"{told(PAYMENTS, 'hold')}; {CHARGE}; sleep 1; {KILL}sleep 5; curl -s {PAYMENTS}/calls"
    for job in jobs.all_ended(world, paths, BECAUSE_NONE, did):
        jobs.expect_done(job, BECAUSE_NONE, did)
    for invoice in (lost, open_):
        _expect_once(world, invoice, 600, mails=2, charges=2, did=did)
        expect(
            world.upstreams.mail.works(invoice.email) == 1,
            expected="The mail goes out once, by whichever worker.",
            got=f"one mail went out {world.upstreams.mail.works(invoice.email)} times",
            because=BECAUSE_ONCE,
            did=did,
        )


@check("kinds-apart", needs=["done-once"])
def test_apart(world: World, service: Operated) -> None:
    """A mail server that hangs holds up no charge and no report, and not every other mail."""
    world.no_worker()
    worker = service.start("worker", {"UPSTREAM_TIMEOUT_MS": str(PATIENT * 1000)})
    hanging, other = [world.invoice() for _ in range(HELD)], world.invoice()
    for invoice in hanging:
        world.hold(invoice)
    for invoice in hanging[:3]:
        jobs.remind(world, invoice)
        expect_called(world, invoice)
    did = f"{told(MAIL, 'hold,hold,hold')}; {'; '.join([REMIND] * 4)}; sleep 3; {JOBS}"
    sent = jobs.ended(world, jobs.remind(world, other).path, BECAUSE_APART, did, MEANWHILE)
    jobs.expect_done(sent, BECAUSE_APART, did)
    for invoice in hanging[3:]:
        jobs.remind(world, invoice)
    world.upstreams.mail.await_calls(hanging[3].email, 1)
    # As many hang as there are hands for them; whoever comes after finds the others.
    settled(lambda: sum(len(world.mails(invoice)) for invoice in hanging))
    paths = [jobs.charge(world, other, 500).path, jobs.report(world).path]
    many = ",".join(["hold"] * HELD)
    did = f"{told(MAIL, many)}; for i in $(seq {HELD}); do {REMIND}; done; {CHARGE}; sleep 3; {JOBS}"
    for job in jobs.all_ended(world, paths, BECAUSE_APART, did, MEANWHILE):
        jobs.expect_done(job, BECAUSE_APART, did)
    worker.kill()


@check("shutdown-clean", needs=["done-once"])
def test_shutdown(world: World, service: Operated) -> None:
    """A worker that is asked to stop ends what it has in hand, takes on nothing new, and gives back what takes too long."""
    world.no_worker()
    patient = service.start("worker", {"JOB_LEASE_SECONDS": "600", "UPSTREAM_TIMEOUT_MS": "20000"})
    slow, late = world.invoice(cents=50_000), world.invoice()
    world.hold(slow, works=True)
    path = jobs.remind(world, slow).path
    expect_called(world, slow)
    patient.signal(signal.SIGTERM)
    patient.ended_within(HEARD)
    after = jobs.remind(world, late).path
    expect(
        patient.ended_within(0.7) is None,
        expected="With a job in hand, the worker ends it first; SHUTDOWN_GRACE_SECONDS is 10.",
        got=f"the worker ended at once, with code {patient.ended_within(0)}",
        because="A deployment stops every worker. What they have in hand is somebody's money.",
        did=f"{told(MAIL, 'hold')}; {REMIND}; sleep 1; {workers('stop')}   # and watch in the log when it ends",
    )
    world.upstreams.mail.release(slow.email)
    _expect_stopped(patient, 0)
    ended = jobs.job_of(world, path)
    expect(
        not world.mails(late),
        expected="After SIGTERM the worker takes on nothing new.",
        got="the worker called for a job ordered after SIGTERM",
        because="Whoever is asked to leave and begins something new leaves it half done.",
        did=f"{told(MAIL, 'hold')}; {REMIND}; sleep 1; {workers('stop')}; {REMIND}; sleep 3; curl -s {MAIL}/calls",
    )
    hasty = {"JOB_LEASE_SECONDS": "600", "UPSTREAM_TIMEOUT_MS": "20000", "SHUTDOWN_GRACE_SECONDS": "0"}
    world.hold(late)
    stopped = service.start("worker", hasty)
    expect_called(world, late)
    stopped.signal(signal.SIGTERM)
    _expect_stopped(stopped, 0)
    world.let_go()
    next_one = service.start("worker", {"JOB_LEASE_SECONDS": "600"})
    hastily = f"{workers('kill')}; {workers('start?SHUTDOWN_GRACE_SECONDS=0')}"
    did = f"{hastily}; {told(MAIL, 'hold')}; {REMIND}; sleep 1; {workers('stop')}; sleep 1; {workers('start')}; sleep 3; {JOBS}"
    job = jobs.ended(world, after, BECAUSE_NONE, did)
    jobs.expect_done(job, BECAUSE_NONE, did)
    expect(
        job["attempts"] == 1,
        expected="A try that was broken off for a stop is not counted: attempts 1.",
        got=f"a try that a stop broke off: attempts {job['attempts']}",
        because="Ten deployments in a day must not use up a job's tries.",
        did=did,
    )
    if (
        ended["status"] != "done"
    ):  # its answer was lost when we let it go: it is tried again by who comes next
        jobs.expect_done(jobs.ended(world, path, BECAUSE_NONE, did), BECAUSE_NONE, did)
    next_one.kill()
    between = waits(world.mails(slow))
    expect(
        world.upstreams.mail.works(slow.email) == 1,
        expected="What was in hand at the stop is done once.",
        got=f"a mail in hand at the stop: sent {world.upstreams.mail.works(slow.email)} times, {len(between) + 1} calls",
        because=BECAUSE_ONCE,
        did=did,
    )


def expect_called(world: World, invoice: Invoice) -> None:
    """The mail server is being asked about the invoice."""
    expect(
        bool(world.upstreams.mail.await_calls(invoice.email, 1)),
        expected="A worker calls the mail server for a reminder.",
        got="no call of the mail server came for a reminder",
        because=BECAUSE_NONE,
        did=f"{REMIND}; sleep 3; curl -s {MAIL}/calls",
    )


def _expect_stopped(worker: Process, code: int) -> None:
    ended = worker.ended_within(STOP_WITHIN)
    expect(
        ended == code,
        expected="The worker exits with 0 once it has ended what it has in hand, or SHUTDOWN_GRACE_SECONDS are over.",
        got="the worker still runs" if ended is None else f"the worker exited with {ended}",
        because="Who does not stop is killed, in the middle of something.",
        did=f"{workers('stop')}   # and watch in the log how it ends",
    )
