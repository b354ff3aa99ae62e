"""What may pass is tried again, ever later and never together; what will not is put where a person looks."""

from collections.abc import Iterator

from graders.check import check, expect
from graders.lesson_07 import jitter, jobs
from graders.lesson_07.answers import seen
from graders.lesson_07.failing import Failing, judged_later
from graders.lesson_07.jitter import SLACK, Wait, come_apart, groups, some_early
from graders.lesson_07.jobs import CHARGE, JOBS, PAYMENTS, told
from graders.lesson_07.policies import Policies
from graders.lesson_07.world import World
from graders.probes.upstreams import CUT, Step, refuse

BASE = 0.2  # RETRY_BASE_MS of lab.toml, in seconds
GROWN = 4 * BASE  # five tries, growth 2, most 8 and jitter 0.5: the shortest last wait that is allowed
PASSING = ("408", "429", "500", "502", "503", "504")
LASTING = (400, 401, 402, 404, 409, 410, 422)
DOWN = f"{told(PAYMENTS, ','.join(['503'] * 8))}; {CHARGE}; sleep 10; "
BECAUSE_DEAD = "A job that fails for ever and says nothing is a customer who was never charged, found at the end of the year."
BECAUSE_JITTER = "A thousand jobs fail at the same second when an upstream goes down. Without chance in their waits they all come back at the same second, and it goes down again."
BECAUSE_GROW = "An upstream that is down and is asked again at once, by everybody, stays down."


@check("trouble-retried", needs=["done-once"])
def test_retried(world: World) -> None:
    """What may pass (no answer, 408, 429, any 5xx) is tried again, of whichever kind the job is."""
    world.workers(2)
    troubles: dict[str, Step] = {name: refuse(int(name)) for name in PASSING} | {"cut": CUT}
    paths = {}
    for name, step in troubles.items():
        invoice = world.invoice()
        world.script(invoice, step)
        paths[f"charge, {name}"] = jobs.charge(world, invoice, 100).path
        paths[f"mail, {name}"] = jobs.remind(world, invoice).path
    for name, path in paths.items():
        did = f"{told(PAYMENTS, name.split()[-1])}; {CHARGE}; sleep 3; {JOBS}"
        job = jobs.ended(world, path, BECAUSE_DEAD, did)
        expect(
            (job["status"], job["attempts"]) == ("done", 2),
            expected=f"{name} at first, then success: the job is done with attempts 2.",
            got=f"{name}, then success: {job['status']}, attempts {job['attempts']}, reason {job['reason']}",
            because="Half of all failures are over a second later.",
            did=did,
        )


@check("lasting-not-retried", needs=["done-once"])
def test_lasting(world: World) -> None:
    """A refusal that will stay one is not tried again: the job is dead at once, reason refused."""
    world.workers(2)
    paths = {}
    for status in LASTING:
        invoice = world.invoice()
        world.script(invoice, refuse(status))  # a second try would succeed
        paths[f"charge, {status}"] = jobs.charge(world, invoice, 100).path
        paths[f"mail, {status}"] = jobs.remind(world, invoice).path
    for name, path in paths.items():
        did = f"{told(PAYMENTS, name.split()[-1])}; {CHARGE}; sleep 2; {JOBS}?status=dead"
        job = jobs.ended(world, path, BECAUSE_DEAD, did)
        expect(
            (job["status"], job["reason"], job["attempts"]) == ("dead", "refused", 1),
            expected=f"{name} is lasting: dead, reason refused, attempts 1.",
            got=f"{name}: {job['status']}, reason {job['reason']}, attempts {job['attempts']}",
            because="A card that is refused is refused again. Ten tries later the provider blocks the account.",
            did=did,
        )


@check("dead-letter-reason", needs=["done-once"])
@judged_later
def test_dead(world: World, failing: Failing) -> None:
    """What failed as often as it may is a dead letter, listed with the reason and what went wrong."""
    listed_paths = set()
    for case, job in failing.ended(BECAUSE_DEAD, DOWN + JOBS):
        expect(
            (job["status"], job["reason"]) == ("dead", "exhausted")
            and isinstance(job["detail"], str)
            and bool(job["detail"].strip() and job["finished_at"]),
            expected=f"A {case.kind} that meets 503 in every try is dead, reason exhausted, with a detail for people.",
            got=f"{case.kind}, 503 in every try: {job['status']}, reason {job['reason']}\ndetail {job['detail']!r}, finished_at {job['finished_at']}",
            because=BECAUSE_DEAD,
            did=f"{DOWN}{JOBS}?status=dead",
        )
        listed_paths.add(case.path)
    answer = failing.world.get("/v1/jobs", status="dead", limit=100)
    listed = answer.json().get("items") if answer.status == 200 else []
    ids = {f"/v1/jobs/{job['id']}" for job in listed or [] if isinstance(job, dict)}
    expect(
        ids == listed_paths,
        expected=f"GET /v1/jobs?status=dead lists the tenant's {len(listed_paths)} dead letters.",
        got=seen(f"{len(ids)} of {len(listed_paths)} dead letters listed", answer),
        because="Somebody looks there every morning. What is not listed is not found.",
        did=f"{DOWN}{JOBS}?status=dead",
    )


@check("requeue-works", needs=["dead-letter-reason"])
def test_requeue(world: World, failing: Failing) -> None:
    """A dead letter that is queued again gets all its tries, under the key that it always had."""
    there = failing.world
    there.workers(2)
    did = f"{DOWN}curl -s -X POST -H 'X-Tenant-ID: 1' http://127.0.0.1:8080/v1/jobs/ITS-ID/requeue; sleep 3; {JOBS}"
    cases = (failing.exhausted[0], failing.exhausted[-1])
    before = {case: failing.calls(case) for case in cases}
    for case in cases:
        there.script(case.invoice, refuse(503), refuse(503))
        again = jobs.taken(there.post(f"{case.path}/requeue"))
        expect(
            again.path == case.path and again.fields["reason"] is None,
            expected="It is the same job again, without a reason.",
            got=seen("requeue of a dead letter", again.answer),
            because="Whoever follows it follows it under its id.",
            did=did,
        )
    for case in cases:
        job = jobs.ended(there, case.path, BECAUSE_DEAD, did)
        jobs.expect_done(job, "All tries are before it again: two that fail are none too many.", did)
        keys = {call.key for call in failing.calls(case)}
        expect(
            len(keys) == 1 and len(failing.calls(case)) == len(before[case]) + 3,
            expected="Three calls more, all of them with the key of the first.",
            got=f"after requeue: {len(failing.calls(case)) - len(before[case])} calls more, {len(keys)} keys in all",
            because="Nobody knows whether the last try did its work after all. The key is what keeps it from being done twice.",
            did=did,
        )
        refused = there.post(f"{case.path}/requeue")
        expect(
            refused.status == 409,
            expected="A job that is done is not queued again: 409.",
            got=seen("requeue of a job that is done", refused),
            because="It would be done twice.",
            did=refused.did,
        )


@check("retries-grow", needs=["dead-letter-reason"])
@judged_later
def test_grow(failing: Failing, world: World) -> None:
    """A job that fails is asked for again, ever later."""
    failing.ended(BECAUSE_GROW, DOWN)
    for kind in ("charge", "mail"):
        recorded = [failing.waits(case) for case in failing.exhausted if case.kind == kind]
        short = [waited for waited in recorded if len(waited) < 4 or waited[-1] < GROWN * SLACK]
        expect(
            not short,
            expected=f"A {kind} that fails is tried at least five times, and the last wait is at least {GROWN:.1f} s: with RETRY_BASE_MS=200 no policy of CONTRACT.md has a shorter one.",
            got=_told(kind, short[0]) if short else "",
            because=BECAUSE_GROW,
            did=f"{DOWN}curl -s {PAYMENTS}/calls",
        )


@check("retries-jitter", needs=["dead-letter-reason", "queues-written"])
@judged_later
def test_jitter(failing: Failing, policies: Policies, world: World) -> None:
    """What failed together does not come back together: each wait is shorter by a share of its own."""
    found = groups([*_waits(failing, policies)])
    expect(
        some_early(found),
        expected=f"Of {sum(map(len, found))} waits some are shorter than growth alone would have them: up to `jitter` is taken off.",
        got="\n".join(f"{jitter.told(group)}, none below {group[0].nominal:.2f} s" for group in found),
        because=BECAUSE_JITTER,
        did=f"{DOWN}curl -s {PAYMENTS}/calls",
    )
    expect(
        come_apart(found),
        expected="Jobs that failed at the same moment come back at different ones: what `jitter` takes off is drawn anew for each wait.",
        got="\n".join(f"{jitter.told(group)}: the same each time" for group in jitter.longest(found)),
        because=BECAUSE_JITTER,
        did=f"{DOWN}curl -s {PAYMENTS}/calls",
    )


@check("queues-agree", needs=["dead-letter-reason", "queues-written"])
@judged_later
def test_agree(failing: Failing, policies: Policies, world: World) -> None:
    """What queues.toml says is what happens: so many tries, and no wait shorter than it says."""
    for case, job in failing.ended(BECAUSE_DEAD, DOWN):
        requeued = case in (failing.exhausted[0], failing.exhausted[-1])
        policy, made = policies[case.kind], len(failing.recorded(case) if requeued else failing.calls(case))
        expect(
            made == policy.attempts == job["attempts"],
            expected=f"[{case.kind}] attempts = {policy.attempts}: so many calls, and attempts says so.",
            got=f"[{case.kind}] attempts = {policy.attempts} in queues.toml; {made} calls came, the job says {job['attempts']}",
            because="A list that is not true is worse than none: somebody believes it.",
            did=f"cat queues.toml; {DOWN}curl -s {PAYMENTS}/calls",
        )
    for wait in _waits(failing, policies):
        least = wait.nominal * (1 - wait.jitter)
        expect(
            wait.seconds >= least * SLACK,
            expected=f"[{wait.kind}] after try {wait.tries} the wait is at least {least:.2f} s, by growth, most and jitter in queues.toml.",
            got=f"[{wait.kind}] after try {wait.tries}: {wait.seconds:.2f} s; queues.toml has {least:.2f} s at least",
            because=BECAUSE_GROW,
            did=f"cat queues.toml; {DOWN}curl -s {PAYMENTS}/calls",
        )


def _waits(failing: Failing, policies: Policies) -> Iterator[Wait]:
    """Each wait of the exhausted."""
    for case in failing.exhausted:
        policy = policies[case.kind]
        for tries, seconds in enumerate(failing.waits(case), 1):
            yield Wait(case.kind, tries, policy.nominal(tries) * BASE, policy.jitter, seconds)


def _told(kind: str, waited: tuple[float, ...]) -> str:
    """The last one first: it is what is judged."""
    last = f"{waited[-1]:.2f} s the last" if waited else "none"
    every = ", ".join(f"{each:.2f}" for each in waited)
    return f"{kind}: {len(waited)} waits, {last}\nall: {every} s"
