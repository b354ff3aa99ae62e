"""Starting and stopping lose nothing that was accepted, whatever is away and whoever calls."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import LiteralString

import pytest

from graders.check import CannotJudge, Failure, check, expect
from graders.lesson_08.holding import waiting
from graders.lesson_08.starting import LOOK, Started
from graders.lesson_08.waiting import until
from graders.lesson_08.world import World, expect_status
from graders.probes.api import Answer, Api, status_of
from graders.probes.postgres import Postgres
from graders.probes.service import Process

CALLERS = 4  # CONTRACT.md, Processes: so many at once, at least
# Seconds; a server that drains for no time at all takes a moment to cut off. Far from the 10 of SHUTDOWN_GRACE_SECONDS.
STILL_AT_THE_LOCK = 1.0
STORED: LiteralString = "SELECT count(*) FROM public.customers WHERE name = %s"


@check("start-waits", needs=["contract-kept"])
def test_start_waits(world: World, seen_start: Started) -> None:
    """A start while Postgres is away serves nobody too early, and serves as soon as Postgres answers."""
    expect(
        seen_start.early != 200,
        expected="While Postgres does not answer: nobody listens yet, or /readyz is 503.",
        got="web started without Postgres: ready too early, status 200",
        because="Callers are sent to who says that it is ready. This one accepts them and can serve none.",
    )
    expect(
        seen_start.ready == 200,
        expected="Postgres answers again: the process that had just started becomes ready by itself.",
        got=f"web started without Postgres: {seen_start.told()}",
        because="Stores and services start together after every power cut, and in no order.",
    )
    _expect_write(world, world.clients(seen_start.web.url))


@check("start-without-cache", needs=["contract-kept"])
def test_start_without_cache(world: World, seen_start_without_cache: Started) -> None:
    """A start without the cache is a start: the service becomes ready, and serves."""
    expect(
        seen_start_without_cache.ready == 200,
        expected="The cache refuses connections: a `web` that is started becomes ready all the same.",
        got=f"web started without the cache: {seen_start_without_cache.told()}",
        because="A cache is there to be fast. Now it decides whether there is a service.",
    )
    api = world.clients(seen_start_without_cache.web.url)
    _expect_write(world, api)
    summary = world.send("GET", f"/v1/customers/{world.customer()}/summary", api=api)
    because = "What the cache would have had, the database has."
    expect_status("a summary of web started without the cache", summary, 200, because)


def _expect_write(world: World, api: Api) -> None:
    body = {"name": "First", "email": "first@example.org"}
    answer = world.send("POST", "/v1/customers", body, api=api)
    expect_status("POST /v1/customers to the new web", answer, 201, "It said that it is ready.")


@check("shutdown-drains", needs=["contract-kept"])
@pytest.mark.usefixtures("calls_ahead")
def test_shutdown(world: World, postgres: Postgres, seen_start_without_cache: Started) -> None:
    """On SIGTERM under traffic every request that was accepted is answered, and what it did is there."""
    web = seen_start_without_cache.or_another(world.service)
    name = f"Drained {world.word()}"
    with ThreadPoolExecutor(CALLERS) as threads, closing(postgres.session()) as lock:
        lock.execute("LOCK TABLE public.customers IN SHARE MODE")
        asked = [threads.submit(_create, world, web, name) for _ in range(CALLERS)]
        if until(lambda: waiting(postgres), lambda number: number >= CALLERS) < CALLERS:
            raise CannotJudge("The requests did not come to the lock in time.", "Grade again.")
        web.signal(signal.SIGTERM)
        # New ones are refused from here on; those that were accepted are still at the lock.
        until(lambda: status_of(f"{web.url}/livez", LOOK), lambda status: status is None, 5.0)
        time.sleep(STILL_AT_THE_LOCK)
        lock.rollback()
        answers = [each.result() for each in asked]
    code = web.ended_within(15.0)
    answered = sum(isinstance(answer, Answer) and answer.status == 201 for answer in answers)
    stored = int(postgres.value(STORED, [name]))
    expect(
        answered == CALLERS and stored == CALLERS,
        expected=f"{CALLERS} requests were under way at SIGTERM: {CALLERS} answers 201, {CALLERS} customers.",
        got=f"after SIGTERM: {answered} of {CALLERS} answers 201, {stored} customers\n{_first_other(answers)}",
        because="Each deployment is a SIGTERM. Whatever it cuts off, a caller has to guess about: was it done, or not?",
    )
    expect(
        code == 0,
        expected="After that the process ends by itself, with code 0.",
        got=f"after SIGTERM: {'still running after 15 s' if code is None else f'ended with code {code}'}",
        because="A process that does not end is killed in the end, and then nothing is given back.",
    )


def _create(world: World, web: Process, name: str) -> Answer | Failure:
    body = {"name": name, "email": "drained@example.org"}
    try:
        return world.send("POST", "/v1/customers", body, api=world.clients(web.url))
    except Failure as failure:
        return failure


def _first_other(answers: list[Answer | Failure]) -> str:
    for answer in answers:
        if isinstance(answer, Failure):
            return answer.got
        if answer.status != 201:
            return answer.summary()
    return ""
