"""A summary is kept, shared, short-lived, and never wrong after a write, whatever happens at the same moment."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from graders.check import CannotJudge, Failure, check, expect
from graders.lesson_07 import jobs
from graders.lesson_07.answers import named, seen, with_status
from graders.lesson_07.exported import BIG
from graders.lesson_07.jobs import DUE, faulty
from graders.lesson_07.summaries import SUMMARY, ask, expect_right, summary
from graders.lesson_07.waiting import eventually
from graders.lesson_07.world import ODD_AGE, Invoice, World
from graders.probes.api import Answer, Api
from graders.probes.interventions import commit_held_up, read_held_up
from graders.probes.load import at_once
from graders.probes.redis_store import RedisStore
from graders.probes.service import Operated, Process

READERS = 50
MOST_READS = 5  # the contract has two; on a busy machine one or another has waited for too long
QUIET, LONGEST = (
    0.7,
    4.0,
)  # seconds without a command to the cache: then all readers have looked; and no longer than
IN_USE_WITHIN = 6.0
LOOKS = 4 * READERS  # commands: among so many is one of each reader
WORDS = {"refuse": "refuses", "hold": "is silent"}
BECAUSE_HIT = "The summary is on every page. Reading it anew each time is what made the database slow."
BECAUSE_FRESH = "A customer who has just paid and still sees the debt pays again, or calls."
BECAUSE_COLD = "When the key expires on the busiest customer, fifty requests ask the database the same at once, and it falls over."
BECAUSE_DOWN = "A cache is there to make things faster. When it is away, things are slower, and nothing else."
PAY = "curl -s -H 'X-Tenant-ID: 1' -H 'Content-Type: application/json' -d '{\"amount_cents\": 100}' http://127.0.0.1:8080/v1/invoices/1/payments"


@check("cache-hit", needs=["contract-kept"])
def test_hit(world: World, client: Callable[[str], Api], service: Operated) -> None:
    """A second read of a summary asks the database nothing, in whichever process."""
    known, cold = world.invoice().customer, world.invoice().customer
    first = summary(world, known)
    expect_right(world, first, known, BECAUSE_FRESH)
    did = f"{SUMMARY}; {faulty('postgres', 'hold')}; {SUMMARY}; {faulty('postgres', 'heal')}"
    both, third = (world.api, world.other), client(service.web("billing"))
    with ThreadPoolExecutor(1) as threads, world.gates.postgres.hold() as landed:
        for number, api in enumerate(both, 1):
            answer = _within(world, known, api, did, f"`web` process {number}")
            expect(
                answer.status == 200 and answer.json() == first.json(),
                expected="The same answer again, from the cache.",
                got=seen(f"second read, `web` process {number}", answer),
                because=BECAUSE_HIT,
                did=did,
            )
        waiting = threads.submit(ask, world, cold, third)
        if not landed.await_felt():
            raise CannotJudge("A read that was not cached did not ask Postgres.", "Grade again.")
        asked = not waiting.done()
    expect_right(world, waiting.result(), cold, BECAUSE_FRESH)
    expect(
        asked,
        expected="Who is not in the cache is read from the database.",
        got="a customer never read before: answered while Postgres was silent",
        because=BECAUSE_HIT,
        did=did,
    )
    stranger = world.api.get(f"/v1/customers/{known}/summary", tenant=BIG)
    expect(
        stranger.status == 404,
        expected="For another tenant there is no such customer: 404, whatever the cache holds.",
        got=seen("a cached summary, asked for by another tenant", stranger),
        because="A cache knows nothing of tenants unless you tell it. What they owe is nobody else's business.",
        did=f"{SUMMARY}; {SUMMARY.replace('X-Tenant-ID: 1', f'X-Tenant-ID: {BIG}')}",
    )


def _within(world: World, customer: str, api: Api, did: str, who: str) -> Answer:
    try:
        return api.get(f"/v1/customers/{customer}/summary", tenant=world.tenant, seconds=5.0)
    except Failure as failure:
        raise Failure(
            expected=f"Read a second time, in {who}, the summary is answered though Postgres is silent.",
            got=f"second read, {who}: {failure.got}",
            because=BECAUSE_HIT,
            did=did,
        ) from None


@check("cache-cold", needs=["cache-hit"])
def test_cold(world: World, client: Callable[[str], Api], service: Operated, cache: RedisStore) -> None:
    """Of fifty that read a cold summary at one moment, one or two ask the database."""
    world.no_worker()
    alone, cold = world.invoice().customer, world.invoice().customer
    with world.postgres.observe() as one:
        summary(world, alone)
    urls = [service.web("billing"), world.second.process.url]
    readers = [client(urls[number % 2]) for number in range(READERS)]
    works: list[Callable[[], Answer]] = [lambda api=api: ask(world, cold, api) for api in readers]  # type: ignore[misc]
    with ThreadPoolExecutor(1) as threads, world.postgres.observe() as all_:
        with world.gates.postgres.hold() as landed:
            begun = threads.submit(at_once, works)
            landed.await_felt()
            _await_looks(cache)
        answers = begun.result()
    for answer in answers:
        expect_right(world, answer, cold, BECAUSE_FRESH)
    expect(
        not all_.endless,
        expected="Each statement comes to its end, so that Postgres can say what was asked.",
        got="\n".join(all_.endless[:3]),
        because="What never ends keeps Postgres from cleaning up, and is in no statistics.",
    )
    single, many = len(one.about("invoices")), len(all_.about("invoices"))
    expect(
        0 < many <= MOST_READS * single,
        expected=f"One reader takes {single} statement{'s' * (single > 1)} on invoices; {READERS} at once take it once or twice.",
        got=f"{READERS} readers took {many} statements on invoices\n(Postgres was silent until all had looked)",
        because=BECAUSE_COLD,
        did=f"for i in $(seq {READERS}); do {SUMMARY} & done; wait   # octo_lab run names the log of Postgres: count there",
    )


def _await_looks(cache: RedisStore) -> None:
    """All readers have looked into the cache: nobody asks it any more, or those who wait ask it again and again."""
    first = last = cache.asked()
    mine, end = 0, time.monotonic() + LONGEST
    changed = time.monotonic()
    while time.monotonic() < min(end, changed + QUIET) and last - first < LOOKS:
        time.sleep(0.05)
        mine += 1
        asked = cache.asked() - mine
        if asked != last:
            last, changed = asked, time.monotonic()


@check("cache-fresh", needs=["cache-hit"])
def test_fresh(world: World) -> None:
    """After a change that was answered, the summary is never what it was before: in no process, whoever made it."""
    world.workers()
    invoice = world.invoice(cents=50_000)
    other = world.invoice(customer=(invoice.customer, invoice.email))
    body = {"lines": [{"description": "Services", "quantity": 2, "unit_price_cents": 700}]}
    made: dict[str, str] = {}

    def draft() -> Answer:
        answer = world.post(f"/v1/customers/{invoice.customer}/invoices", body)
        made["draft"] = str(answer.json().get("id")) if answer.status == 201 else "0"
        return answer

    def charged() -> Answer:
        job = jobs.charge(world, invoice, 600)
        jobs.expect_done(jobs.ended(world, job.path, BECAUSE_FRESH), BECAUSE_FRESH)
        return job.answer

    changes: list[tuple[str, Callable[[], Answer], int]] = [
        ("a draft", draft, 201),
        ("sending it", lambda: world.post(f"/v1/invoices/{made['draft']}/send", DUE), 200),
        ("a payment", lambda: world.post(f"{invoice.path}/payments", {"amount_cents": 100}), 201),
        ("a payment with a key", lambda: _keyed(world, invoice), 201),
        ("voiding another", lambda: world.post(f"{other.path}/void"), 200),
        ("a charge that a worker has done", charged, 202),
    ]
    for what, change, status in changes:
        for api in (world.api, world.other):
            summary(world, invoice.customer, api)
        answer = with_status(change(), status, what, f"It is what CONTRACT.md has for {what}.")
        for number, api in enumerate((world.other, world.api)):
            expect_right(
                world,
                summary(world, invoice.customer, api),
                invoice.customer,
                BECAUSE_FRESH,
                f"{SUMMARY}; {PAY if status == 201 else answer.did}; {SUMMARY}",
                f"Right after {what}, in {'another' if number == 0 else 'the same'} `web` process, the summary",
                f"after {what}",
            )


def _keyed(world: World, invoice: Invoice) -> Answer:
    key = {"Idempotency-Key": f"pay-{invoice.number}"}
    return world.api.send(
        "POST", f"{invoice.path}/payments", tenant=world.tenant, json={"amount_cents": 50}, headers=key
    )


@check("cache-race", needs=["cache-hit"])
def test_race(world: World) -> None:
    """Nor when reading and writing race: what was read before a change is not kept after it."""
    _expect_slow_reader_harmless(world)
    _expect_slow_writer_harmless(world)


def _expect_slow_reader_harmless(world: World) -> None:
    """A reader has read before the change, and puts what it read into the cache after it."""
    invoice = world.invoice(cents=50_000)
    with ThreadPoolExecutor(1) as threads, read_held_up(world.postgres, invoice.customer) as held:
        reader = threads.submit(summary, world, invoice.customer, world.other)
        if not eventually(lambda: held.somebody() or reader.done()) or not held.somebody():
            raise CannotJudge("The read of a summary could not be held up.", "Grade again.")
        paid = world.post(f"{invoice.path}/payments", {"amount_cents": 100})
        held.let_go()
        reader.result()
    with_status(paid, 201, "POST payment while somebody reads", BECAUSE_FRESH)
    what = "A reader began before a payment and ended after it; then"
    _expect_fresh(world, invoice, what, "slow reader")


def _expect_slow_writer_harmless(world: World) -> None:
    """A writer is about to commit; a reader comes, and keeps what is still there."""
    invoice = world.invoice(cents=50_000)
    summary(world, invoice.customer)
    with ThreadPoolExecutor(1) as threads, commit_held_up(world.postgres, invoice.id) as held:
        writer = threads.submit(world.post, f"{invoice.path}/payments", {"amount_cents": 100})
        if not eventually(lambda: held.somebody() or writer.done()) or not held.somebody():
            raise CannotJudge("The commit of a payment could not be held up.", "Grade again.")
        for _ in range(2):
            summary(world, invoice.customer, world.other)
        held.let_go()
        paid = writer.result()
    with_status(paid, 201, "POST payment while somebody reads", BECAUSE_FRESH)
    what = "A payment was being committed while somebody read; then"
    _expect_fresh(world, invoice, what, "slow writer")


def _expect_fresh(world: World, invoice: Invoice, what: str, name: str) -> None:
    for api in (world.other, world.api):
        expect_right(
            world,
            summary(world, invoice.customer, api),
            invoice.customer,
            BECAUSE_FRESH,
            f"for i in $(seq 200); do {SUMMARY} >/dev/null & {PAY} >/dev/null; {SUMMARY}; done",
            f"{what} the summary",
            name,
        )


@check("cache-expires", needs=["cache-hit"])
def test_expires(world: World, cache: RedisStore, odd_one: Process, client: Callable[[str], Api]) -> None:
    """Every key expires, and what other programs write appears after SUMMARY_MAX_AGE_SECONDS at the latest."""
    brief, age = client(odd_one.url), ODD_AGE
    invoice = world.invoice(cents=50_000)
    summary(world, invoice.customer, brief)
    lasting = cache.lasting()
    world.write(
        "UPDATE public.invoices SET total_cents = total_cents + 7 WHERE id = %s RETURNING id", [invoice.id]
    )
    written = time.monotonic()
    expect(
        not lasting and bool(cache.keys()),
        expected="The cache has keys, and every one of them has a time to live.",
        got=f"{len(lasting)} keys never expire: {', '.join(lasting[:3])}"
        if lasting
        else "no keys in the cache",
        because="A key without an end is wrong for ever once it is wrong, and fills the memory.",
        did=f"{SUMMARY}; redis-cli -u redis://:octo_lab@127.0.0.1:63790/0 --scan",
    )
    time.sleep(max(written + age - time.monotonic(), 0))
    expect_right(
        world,
        summary(world, invoice.customer, brief),
        invoice.customer,
        "The nightly import writes rows and knows nothing of a cache.",
        f"{SUMMARY}; psql ... 'UPDATE invoices ...'; sleep SUMMARY_MAX_AGE_SECONDS; {SUMMARY}",
        f"With SUMMARY_MAX_AGE_SECONDS={age}, so long after another program has written, the summary",
        "old rows kept",
    )


@check("cache-down", needs=["cache-hit"])
def test_down(world: World, cache: RedisStore) -> None:
    """With the cache away, answers are right, only slower; and it brings back nothing old."""
    back: list[tuple[str, Invoice, str]] = []
    for fault in ("refuse", "hold"):
        invoice = world.invoice(cents=50_000)
        for api in (world.api, world.other):
            summary(world, invoice.customer, api)
        did = f"{SUMMARY}; {faulty('cache', fault)}; {PAY}; {SUMMARY}; {faulty('cache', 'heal')}; {SUMMARY}"
        during = f"while the cache {WORDS[fault]}"
        # Who has just lost its cache may leave it alone for a while.
        for api in (world.api, world.other):
            eventually(partial(_in_use, world, invoice, api, cache), IN_USE_WITHIN)
        faulted: Any = getattr(world.gates.cache, fault)
        with faulted():
            with ThreadPoolExecutor(2) as threads:
                both = [threads.submit(ask, world, invoice.customer, api) for api in (world.other, world.api)]
            for read in both:
                _expect_answer(world, invoice, read.result, during, did)
            with named(f"POST payment {during}", BECAUSE_DOWN, did):
                paid = world.post(f"{invoice.path}/payments", {"amount_cents": 100})
                with_status(paid, 201, f"POST payment {during}", BECAUSE_DOWN, did)
            _expect_summary(world, invoice, world.api, f"after a payment {during}", did)
        _expect_summary(world, invoice, world.api, f"with the cache back ({fault}), same process", did)
        back.append((fault, invoice, did))
    time.sleep(1.0)  # what other processes have by the contract
    for fault, invoice, did in back:
        _expect_summary(world, invoice, world.other, f"a second after the cache is back ({fault})", did)


def _in_use(world: World, invoice: Invoice, api: Api, cache: RedisStore) -> bool:
    before = cache.asked()
    ask(world, invoice.customer, api)
    return cache.asked() > before + 1  # the one is our own question


def _expect_summary(world: World, invoice: Invoice, api: Api, when: str, did: str) -> None:
    """It is answered, and right."""
    _expect_answer(world, invoice, partial(ask, world, invoice.customer, api), when, did)


def _expect_answer(world: World, invoice: Invoice, asked: Callable[[], Answer], when: str, did: str) -> None:
    what = f"GET summary {when}"
    with named(what, BECAUSE_DOWN, did):
        answer = with_status(asked(), 200, what, BECAUSE_DOWN, did)
        expect_right(world, answer, invoice.customer, BECAUSE_DOWN, did, what, what)
