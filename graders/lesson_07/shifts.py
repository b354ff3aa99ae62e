"""Workers that are killed, held up and stopped, one after the other, while checks that need no worker run."""

import random
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from graders.check import expect
from graders.lesson_07 import jobs
from graders.lesson_07.effects import BECAUSE_NONE, BECAUSE_ONCE, expect_called, expect_once, expect_one_mail
from graders.lesson_07.jobs import CHARGE, JOBS, MAIL, PAYMENTS, REMIND, told, workers
from graders.lesson_07.waiting import settled
from graders.lesson_07.world import Invoice, World
from graders.probes.service import Process

HELD = 14  # more than one worker has hands for
PATIENT = {"UPSTREAM_TIMEOUT_MS": "60000"}
MEANWHILE = 20.0  # seconds: while one upstream hangs for a minute, others are done well before
# What is not given back is not there for others: nobody waits for so long a lease.
NEXT = {"JOB_LEASE_SECONDS": "600"}
STOPPED = {**NEXT, "UPSTREAM_TIMEOUT_MS": "20000"}
HASTY = {**STOPPED, "SHUTDOWN_GRACE_SECONDS": "0"}
STOP_WITHIN = 25.0
HEARD = 0.3  # seconds: a busy machine gives a process no processor for so long, and till then it has heard of no signal
ENDS_AT_ONCE = 0.7
BECAUSE_APART = "One server that hangs must not take everything else down with it."
KILL = f"{workers('kill')}; {workers('start')}; "
STOP_ONE = f"{told(MAIL, 'hold')}; {REMIND}; sleep 1; {workers('stop')}"


@dataclass
class Shifts:
    """Each shift in a tenant of its own. `world` is looked at from another thread: its connections are its own."""

    world: World
    _patient: Process | None = None

    def scenarios(self) -> Mapping[str, Callable[[], None]]:
        """By the check that judges it, in their order."""
        shifts = {"worker-killed": self._killed, "kinds-apart": self._apart, "shutdown-clean": self._stopped}
        return {id: partial(self._worked, shift) for id, shift in shifts.items()}

    def _worked(self, shift: Callable[[World], None]) -> None:
        self.world.renew(random.Random())  # noqa: S311 - a tenant, not a secret
        try:
            shift(self.world)
        finally:
            self.world.let_go()

    def _killed(self, world: World) -> None:
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
        self._patient = world.service.start("worker", PATIENT)
        did = f"{told(PAYMENTS, 'hold')}; {CHARGE}; sleep 1; {KILL}sleep 5; curl -s {PAYMENTS}/calls"
        for job in jobs.all_ended(world, paths, BECAUSE_NONE, did):
            jobs.expect_done(job, BECAUSE_NONE, did)
        for invoice in (lost, open_):
            expect_once(world, invoice, 600, mails=2, charges=2, did=did)
            expect_one_mail(world, invoice, "The mail goes out once, by whichever worker.", did)

    def _apart(self, world: World) -> None:
        if self._patient is None or self._patient.ended_within(0) is not None:
            world.no_worker()
            self._patient = world.service.start("worker", PATIENT)
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

    def _stopped(self, world: World) -> None:
        world.no_worker()
        slow, late = world.invoice(cents=50_000), world.invoice()
        in_hand, after = _stopped_in_time(world, slow, late)
        _stopped_too_early(world, late)
        next_one = world.service.start("worker", NEXT)
        hastily = f"{workers('kill')}; {workers('start?SHUTDOWN_GRACE_SECONDS=0')}"
        did = f"{hastily}; {STOP_ONE}; sleep 1; {workers('start')}; sleep 3; {JOBS}"
        job = jobs.ended(world, after, BECAUSE_NONE, did)
        jobs.expect_done(job, BECAUSE_NONE, did)
        expect(
            job["attempts"] == 1,
            expected="A try that was broken off for a stop is not counted: attempts 1.",
            got=f"a try that a stop broke off: attempts {job['attempts']}",
            because="Ten deployments in a day must not use up a job's tries.",
            did=did,
        )
        if in_hand["status"] != "done":
            # Its answer was lost when we let it go: it is tried again by who comes next.
            jobs.expect_done(
                jobs.ended(world, f"/v1/jobs/{in_hand['id']}", BECAUSE_NONE, did), BECAUSE_NONE, did
            )
        next_one.kill()
        calls = len(world.mails(slow))
        works = world.upstreams.mail.works(slow.email)
        expect(
            works == 1,
            expected="What was in hand at the stop is done once.",
            got=f"a mail in hand at the stop: sent {works} times, {calls} calls",
            because=BECAUSE_ONCE,
            did=did,
        )


def _stopped_in_time(world: World, slow: Invoice, late: Invoice) -> tuple[dict[str, Any], str]:
    """A worker ends what it has in hand. What it had; and the path of what was ordered after it was asked to stop."""
    world.hold(slow, works=True)
    path = jobs.remind(world, slow).path
    patient = world.service.start("worker", STOPPED)
    expect_called(world, slow)
    patient.signal(signal.SIGTERM)
    patient.ended_within(HEARD)
    after = jobs.remind(world, late).path
    expect(
        patient.ended_within(ENDS_AT_ONCE) is None,
        expected="With a job in hand, the worker ends it first; SHUTDOWN_GRACE_SECONDS is 10.",
        got=f"the worker ended at once, with code {patient.ended_within(0)}",
        because="A deployment stops every worker. What they have in hand is somebody's money.",
        did=f"{STOP_ONE}   # and watch in the log when it ends",
    )
    world.upstreams.mail.release(slow.email)
    _expect_stopped(patient)
    expect(
        not world.mails(late),
        expected="After SIGTERM the worker takes on nothing new.",
        got="the worker called for a job ordered after SIGTERM",
        because="Whoever is asked to leave and begins something new leaves it half done.",
        did=f"{STOP_ONE}; {REMIND}; sleep 3; curl -s {MAIL}/calls",
    )
    return jobs.job_of(world, path), after


def _stopped_too_early(world: World, late: Invoice) -> None:
    """A worker has no time to end what it has in hand: it gives it back."""
    world.hold(late)
    hasty = world.service.start("worker", HASTY)
    expect_called(world, late)
    hasty.signal(signal.SIGTERM)
    _expect_stopped(hasty)
    world.let_go()


def _expect_stopped(worker: Process) -> None:
    code = worker.ended_within(STOP_WITHIN)
    expect(
        code == 0,
        expected="The worker exits with 0 once it has ended what it has in hand, or SHUTDOWN_GRACE_SECONDS are over.",
        got="the worker still runs" if code is None else f"the worker exited with {code}",
        because="Who does not stop is killed, in the middle of something.",
        did=f"{workers('stop')}   # and watch in the log how it ends",
    )
