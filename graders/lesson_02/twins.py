"""Equal requests at the same time, at two web processes: all under way before one can end, by a lock and not by luck."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from graders.check import expect
from graders.lesson_02.retries import BECAUSE, Creation, is_same
from graders.probes.api import Answer, Api
from graders.probes.postgres import Postgres
from graders.probes.service import Service
from graders.probes.transcript import Transcript

TWINS = 3
# How long the lock is held for the twins to come. A right service does not depend on it; a wrong one comes at once.
SECONDS = 2.0
PAUSE = 0.01
WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE usename = 'billing_app' AND datname = current_database() AND wait_event_type = 'Lock'
"""


def expect_once(
    service: Service, postgres: Postgres, steps: Transcript, creation: Creation, key: str
) -> None:
    """All get 201 with one body and one Location, and there is one row more."""
    there = creation.count(postgres)
    answers = _at_once(service, postgres, steps, creation, key)
    first = answers[0]
    told = "\n".join(f"{answer.status} {answer.headers.get('Location', 'no Location')}" for answer in answers)
    expect(
        all(is_same(first, answer) for answer in answers),
        expected=f"{TWINS} of these at once, with one key, at two web processes, are all answered alike: 201, one Location, one body.",
        got=told,
        because=BECAUSE,
        did=first.did,
    )
    made = creation.count(postgres) - there
    expect(
        made == 1,
        expected=f"{TWINS} of these at once, with one key, create one row.",
        got=f"{made} rows",
        because="Retries come in bursts: the first request is slow, so the client sends the second while it runs.",
        did=first.did,
    )


def _at_once(
    service: Service, postgres: Postgres, steps: Transcript, creation: Creation, key: str
) -> list[Answer]:
    """The answers. Until all wait for the database, or some seconds are over, another program holds the row they need."""
    urls = [service.web("billing", 1 + n % 2) for n in range(TWINS)]
    clients = [Api(url, steps, shows_head=True) for url in urls]
    together = threading.Barrier(TWINS)

    def ask(client: Api) -> Answer:
        with suppress(threading.BrokenBarrierError):
            together.wait(SECONDS)
        return creation.ask(client, key)

    with ThreadPoolExecutor(TWINS) as threads:
        with postgres.session() as holder:
            holder.execute(creation.locked, [creation.holder])
            asked = [threads.submit(ask, client) for client in clients]
            _await_all(postgres, asked)
        return [one.result() for one in asked]


def _await_all(postgres: Postgres, asked: list["Future[Answer]"]) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        answered = sum(one.done() for one in asked)
        if answered + int(postgres.catalog(WAITING)[0][0]) >= len(asked):
            return
        time.sleep(PAUSE)
