"""Alive and ready are two questions, answered fast, whatever happens to what the service depends on."""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from graders.check import CannotJudge, Failure, check, expect
from graders.lesson_08.holding import begin_reading, locked, waiting
from graders.lesson_08.outages import BECAUSE_BOUND, SECONDS, Outage, expect_said
from graders.lesson_08.waiting import EVENLY, until
from graders.lesson_08.world import World, done, expect_status, told_of
from graders.probes.api import Answer
from graders.probes.faults import Gates
from graders.probes.postgres import Postgres

BECAUSE_ALIVE = "A process that does not answer /livez is restarted. All of them at once, again and again, mend no database."
BECAUSE_READY = (
    "An instance that can't serve and says that it can gets its share of the traffic, and loses it."
)
BECAUSE_BACK = "An outage that has ended must end here, too: nobody wants to restart forty processes by hand at five in the morning."
CROWD = 24  # more than the connections that CONTRACT.md allows a process
ASKING = 8
LOOKS = 6
TIMES = 3
IN_USE_WITHIN = 6.0
# What only somebody inside needs to know.
INSIDE = re.compile(
    r"127\.0\.0\.1|localhost|:\d{4,5}\b|billing_app|billing_owner|password|select\b|psycopg|traceback|timeouterror"
    r"|econnre|connection (?:refused|reset|to server)|\bpg_|redis",
    re.IGNORECASE,
)

Outages = Mapping[str, Outage]


@check("alive-always", needs=["contract-kept"])
def test_alive(seen_outages: Outages) -> None:
    """While Postgres is away, every process still says that it is alive."""
    for outage in seen_outages.values():
        for said, process in ((outage.live, "web"), (outage.worker_live, "worker")):
            expected = f"{outage.told()}: 200 of /livez of `{process}`, at once."
            what = outage.meanwhile(f"/livez of {process}")
            expect_said(outage, said, 200, what=what, expected=expected, because=BECAUSE_ALIVE)


@check("ready-falls", needs=["contract-kept"])
def test_ready_falls(seen_outages: Outages) -> None:
    """Readiness falls when Postgres cuts or refuses connections, and says what is missing."""
    for kind in ("cut", "refuse"):
        _expect_fallen(seen_outages[kind])


@check("ready-silent", needs=["contract-kept"])
def test_ready_silent(seen_outages: Outages) -> None:
    """Readiness falls as fast when Postgres takes connections and answers nothing."""
    _expect_fallen(seen_outages["hold"])


def _expect_fallen(outage: Outage) -> None:
    for said, process in ((outage.ready, "web"), (outage.worker_ready, "worker")):
        expected = (
            f"{outage.told()}: 503 of /readyz of `{process}`, within 2 seconds (we waited {SECONDS:.0f})."
        )
        what, because = outage.meanwhile(f"/readyz of {process}"), f"{BECAUSE_READY} {BECAUSE_BOUND}"
        answer = expect_said(outage, said, 503, what=what, expected=expected, because=because)
        if process == "web":
            with told_of(what):
                dependency = _member(answer, "dependency")
            expect(
                dependency == "postgres",
                expected='Problem details with "dependency": "postgres".',
                got=f'{what}: {"no" if dependency is None else "wrong"} "dependency"\n{answer.summary()}',
                because="Whoever is woken by it has three stores and two upstreams to look at. Which one first?",
                did=outage.how(answer),
            )


def _member(answer: Answer, name: str) -> object:
    body = answer.json()
    return body.get(name) if isinstance(body, dict) else None


@check("ready-again", needs=["ready-falls"])
def test_ready_again(seen_outages: Outages) -> None:
    """When Postgres is back the service is ready again by itself, and serves."""
    for outage in seen_outages.values():
        expected = f"{outage.told()}, and then all is well: /readyz is 200 again, without a restart."
        for said, process in ((outage.again, "web"), (outage.worker_again, "worker")):
            what = outage.afterwards(f"/readyz of {process}")
            expect_said(outage, said, 200, what=what, expected=expected, because=BECAUSE_BACK)
        expect_said(
            outage,
            outage.written,
            201,
            what=outage.afterwards("POST /v1/customers"),
            expected="After that a customer can be created.",
            because="Ready was said too early: the next callers met connections that had died in the outage.",
        )


@check("ready-under-load", needs=["contract-kept"])
def test_ready_under_load(world: World, postgres: Postgres) -> None:
    """While every connection of the pool is in use, health answers as ever: load is no outage."""
    invoice = world.draft()["id"]
    for _ in range(TIMES):
        with ThreadPoolExecutor(CROWD + 2) as threads, locked(postgres):
            for _ in range(CROWD):
                begin_reading(threads, world, invoice)
            full = _await_full(postgres)
            in_line = threads.submit(_serves, world)
            for path in ("/readyz", "/livez"):
                _expect_answers(world, path)
            if in_line.done():  # it may have given up before the last answer
                in_line = threads.submit(_serves, world)
            if not in_line.result() and waiting(postgres) == full:
                return
    raise CannotJudge("The machine is too busy to keep the pool in use.", "Grade again.")


def _await_full(postgres: Postgres) -> int:
    """How many readers stand at the lock once no more of them reach it: what is left waits for a connection."""
    seen: list[int] = []

    def settled() -> bool:
        seen.append(waiting(postgres))
        return seen[-1] > 0 and len(seen) >= LOOKS and len(set(seen[-LOOKS:])) == 1

    if not until(settled, bool, pauses=EVENLY):
        raise CannotJudge("The requests did not come to the lock in time.", "Grade again.")
    return seen[-1]


def _serves(world: World) -> bool:
    """Whether a request that needs a connection and no lock is answered: then not all of the pool is in use.

    After an outage a pool may grow late: connections that come while health is asked prove nothing.
    """
    try:
        answer = world.new_client().get("/v1/customers?limit=1", tenant=world.tenant, seconds=1.0)
    except Failure:
        return False
    return answer.status == 200


def _expect_answers(world: World, path: str) -> None:
    with ThreadPoolExecutor(ASKING) as asking:
        asked = [asking.submit(_ask, world, path) for _ in range(ASKING)]
    for answer in [each.result() for each in asked]:
        expect_status(
            _in_use(path),
            answer,
            200,
            "Under load every instance says at once that it is not ready, all traffic goes to the one that is left, and then to none.",
        )


def _ask(world: World, path: str) -> Answer:
    with told_of(_in_use(path)):
        return world.new_client().get(path, seconds=SECONDS)


def _in_use(path: str) -> str:
    return f"{path} with the whole pool in use"


@check("health-tells-nothing", needs=["contract-kept"])
def test_tells_nothing(seen_outages: Outages) -> None:
    """What health says to strangers tells nothing of the inside."""
    for outage in seen_outages.values():
        for said, what in (
            (outage.live, outage.meanwhile("/livez")),
            (outage.ready, outage.meanwhile("/readyz")),
            (outage.worker_ready, outage.meanwhile("/readyz of worker")),
            (outage.again, outage.afterwards("/readyz")),
        ):
            if not isinstance(said, Answer):
                continue
            text = said.body.decode("utf-8", "replace")
            found = INSIDE.search(text)
            expect(
                found is None,
                expected="A status, and the name of what does not answer. No address, user, query or message.",
                got=f"{what}: tells {found and found[0]!r}\n{said.summary()}",
                because="These paths are open to everybody who reaches the port.",
                did=outage.how(said),
            )


@check("cache-optional", needs=["contract-kept"])
def test_cache_optional(world: World, gates: Gates) -> None:
    """Without its cache the service is ready, and its answers are right."""
    customer = world.customer()
    path = f"/v1/customers/{customer}/summary"
    done(world.send("GET", path), 200, "GET of a summary")
    invoices = 0
    for fault, away in ((gates.cache.cut, "the cache cut off"), (gates.cache.hold, "the cache silent")):
        # Who has lost its cache may leave it alone for a while. Who needs none is not harmed by its outage.
        until(lambda: world.send("GET", path) and gates.cache.live, bool, IN_USE_WITHIN)
        with fault() as landed:
            world.draft(customer)
            invoices += 1
            summary = world.send("GET", path)
            with told_of(f"/readyz with {away}"):
                ready = world.new_client().get("/readyz", seconds=SECONDS)
        told = f"The cache is away ({landed.proof()})"
        because = f"{told}, and all the service does can be done without it. Now it does nothing."
        expect_status(f"/readyz with {away}", ready, 200, because)
        with told_of(f"a summary with {away}"):
            right = summary.status == 200 and _member(summary, "invoices") == invoices
        expect(
            right,
            expected=f'{told}: status 200, "invoices": {invoices}, from the database.',
            got=f"a summary with {away}: {summary.summary()}",
            because="A cache is there to be fast. When it takes the answers away with it, it has become a database.",
            did=summary.did,
        )
