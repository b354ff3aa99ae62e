"""Requests are held up by a lock of another program's, so that what is measured of them is known beforehand."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString

from graders.check import CannotJudge, Failure
from graders.lesson_08.routes import of_route
from graders.lesson_08.waiting import until
from graders.lesson_08.world import World
from graders.probes.api import Answer, curl
from graders.probes.exposition import Page
from graders.probes.postgres import Postgres

AT_ONCE = 3
SECONDS_HELD = 0.6
COUNT = "http_request_duration_seconds_count"
ROUTE = "/v1/invoices/{invoice_id}"
WAITING: LiteralString = """
    SELECT count(*) FROM pg_stat_activity WHERE usename = 'billing_app' AND wait_event_type = 'Lock'
"""


@dataclass(frozen=True)
class Held:
    """Pages of `web` before, while AT_ONCE requests were held for at least `seconds`, and after they were answered."""

    before: Page
    while_held: Page
    after: Page
    waiting: int
    seconds: float
    whole: float
    did: str


@contextmanager
def locked(postgres: Postgres) -> Iterator[None]:
    """Whoever reads or writes invoices waits until the block ends."""
    session = postgres.session()
    try:
        session.execute("LOCK TABLE public.invoices IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        session.rollback()
        session.close()


def begin_reading(threads: ThreadPoolExecutor, world: World, invoice: str) -> Future[Answer | Failure]:
    """Somebody reads the invoice, on a connection of their own."""

    def read() -> Answer | Failure:
        try:
            return world.send("GET", f"/v1/invoices/{invoice}", api=world.new_client())
        except Failure as failure:
            return failure

    return threads.submit(read)


def waiting(postgres: Postgres) -> int:
    """How many of the service's sessions wait for a lock."""
    return int(postgres.catalog(WAITING)[0][0])


def held(world: World, postgres: Postgres) -> Held:
    """Raises CannotJudge where the requests do not come to the lock."""
    invoice = world.draft()["id"]
    world.send("GET", f"/v1/invoices/{invoice}")
    before = until(world.page, lambda page: page.total("http_requests_in_flight") == 0, 3.0)
    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as threads, locked(postgres):
        for _ in range(AT_ONCE):
            begin_reading(threads, world, invoice)
        stuck = until(lambda: waiting(postgres), lambda number: number >= AT_ONCE)
        if stuck < AT_ONCE:
            raise CannotJudge("The requests did not come to the lock in time.", "Grade again.")
        from_here = time.monotonic()
        while_held = until(world.page, lambda page: page.total("http_requests_in_flight") == AT_ONCE, 3.0)
        time.sleep(max(0.0, SECONDS_HELD - (time.monotonic() - from_here)))
        seconds = time.monotonic() - from_here
    whole = time.monotonic() - began

    def counted(page: Page) -> bool:
        grown = of_route(page, COUNT, ROUTE) - of_route(before, COUNT, ROUTE)
        return grown >= AT_ONCE and page.total("http_requests_in_flight") == 0

    after = until(world.page, counted, 5.0)
    did = curl("GET", "/metrics", {})
    return Held(before, while_held, after, stuck, seconds, whole, did)
