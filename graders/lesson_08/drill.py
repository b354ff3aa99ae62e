"""The incident drill: four nights, each with another cause or none, and what the processes told meanwhile.

The nights are recorded first. The runbook is judged over the records afterwards: see `runbook`. The one on which nobody
does the jobs is judged by the metrics of the queue, too.
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from graders.check import CannotJudge, Failure
from graders.lesson_08.runbook import Window
from graders.lesson_08.waiting import until
from graders.lesson_08.world import World, expect_status, told_of
from graders.probes.api import Answer, Api
from graders.probes.exposition import Page, page_of
from graders.probes.upstreams import CUT, Upstreams, refuse

REQUESTS = 8  # ordinary ones, to each `web`; one of them fails, in every night
CHARGES = 8  # in an ordinary night; one is refused, one tried twice
MAILS, MORE = 3, 2  # what is ordered first while nobody does the jobs: mails, and charges
MANY = 24
WAITING = 18  # more than the lesson says, so that no bound at its edge decides
CALLS, QUEUED, OLDEST = "upstream_requests_total", "jobs_queued", "jobs_oldest_queued_seconds"
WITHIN = 15.0
TOLD_WITHIN = 6.0  # three times what CONTRACT.md, Metrics, allows
OLD = 1.0
DUE = {"due_on": "2026-12-31"}


@dataclass(frozen=True)
class Night:
    """What was the matter, in words, and what the processes told."""

    story: str
    window: Window


@dataclass(frozen=True)
class Abandoned:
    """Jobs that nobody does: `web`'s pages before any order, and with MAILS and MORE waiting; then the whole night.

    began: before the first order, on the monotonic clock. number: of the invoice that was charged last.
    """

    quiet: Page
    full: Page
    night: Night
    began: float
    number: str


@dataclass(frozen=True)
class Aged:
    """`web`'s page with the eldest of them `OLD` seconds old (at most `seconds`)."""

    page: Page
    seconds: float


@dataclass(frozen=True)
class Unattended:
    """All of the night on which nobody does the jobs. empty: `web`'s page when a worker has done them."""

    abandoned: Abandoned
    aged: Aged
    empty: Page


@dataclass(frozen=True)
class Scene:
    """Who takes part. `second`: a connection to the `web` that runs the new version."""

    world: World
    second: Api
    upstreams: Upstreams

    def pages(self) -> dict[str, Page | None]:
        """What each process tells now."""
        workers = self.world.service.processes("worker")
        return {
            "web-v1": self.world.page(),
            "web-v2": _told("web-v2", self.second),
            "worker": _told("worker", self.world.clients(workers[-1].url)) if workers else None,
        }


def _told(process: str, api: Api) -> Page:
    with told_of(f"/metrics of {process}"):
        return page_of(api.get("/metrics"))


def nights(scene: Scene, nobody: Unattended, draw: random.Random) -> Mapping[str, Night]:
    """All four, by their cause, in an order that is drawn. Raises Failure where the numbers do not show a cause."""
    scene.world.all_ended()
    order = [*NIGHTS]
    draw.shuffle(order)
    return {"backlog": nobody.abandoned.night, **{cause: NIGHTS[cause](scene) for cause in order}}


def abandoned(scene: Scene) -> Abandoned:
    """Jobs are ordered, and no worker runs: not before `aged` has started one."""
    _dead_letter(scene)
    before = scene.pages()
    invoice = _ordinary_night(scene)
    drafts = [scene.world.draft()["id"] for _ in range(MAILS)]
    quiet = _told_of_queue(scene, lambda page: page.total(QUEUED) == 0)
    for worker in scene.world.service.processes("worker"):
        worker.kill()
    try:
        began = time.monotonic()
        for draft in drafts:
            scene.world.send("POST", f"/v1/invoices/{draft}/send", DUE)
        for _ in range(MORE):
            scene.world.charge(invoice["id"])
        full = _told_of_queue(scene, lambda page: page.total(QUEUED) == MAILS + MORE)
        number = _charges(scene, MANY - MAILS - MORE)["number"]
        after = until(scene.pages, lambda pages: _now(pages, QUEUED) >= MANY, TOLD_WITHIN)
    except BaseException:
        scene.world.service.start("worker")
        raise
    night = Night("Jobs were ordered, and no worker took them.", _window(before, after))
    return Abandoned(quiet, full, night, began, number)


def aged(scene: Scene, left: Abandoned) -> Aged:
    """The jobs have grown old, and a worker is started; it takes them as soon as it can."""
    try:
        time.sleep(max(0.0, left.began + OLD - time.monotonic()))
        page = _told_of_queue(scene, lambda page: oldest(page, "mail") >= OLD)
        return Aged(page, time.monotonic() - left.began)
    finally:
        scene.world.service.start("worker")


def unattended(scene: Scene, left: Abandoned, old: Aged) -> Unattended:
    """The worker has done them."""
    scene.upstreams.payments.await_calls(left.number, MANY - MAILS - MORE, WITHIN)
    scene.world.all_ended()
    empty = _told_of_queue(scene, lambda page: page.total(QUEUED) == 0)
    return Unattended(left, old, empty)


def _dead_letter(scene: Scene) -> None:
    """A mail that is refused: it waits for nobody."""
    email = f"{scene.world.word()}@example.org"
    scene.upstreams.mail.script(email, refuse(404))
    scene.world.sent(scene.world.customer(email=email))


def _told_of_queue(scene: Scene, wanted: Callable[[Page], bool]) -> Page:
    return until(scene.world.page, wanted, TOLD_WITHIN)


def oldest(page: Page, kind: str) -> float:
    """For how many seconds the eldest job of the kind has waited."""
    return page.total(OLDEST, kind=kind)


def _healthy(scene: Scene) -> Night:
    before = scene.pages()
    _ordinary_night(scene)
    after = _shown(scene, lambda pages: _now(pages, QUEUED) == 0)
    return Night("Nothing was the matter: now and then a call fails, and a request.", _window(before, after))


def _upstream(scene: Scene) -> Night:
    before = scene.pages()
    _requests(scene)
    number = _charges(scene, MANY, *islice(cycle((refuse(503), CUT, CUT)), 40 * MANY))["number"]
    scene.upstreams.payments.await_calls(number, MANY, WITHIN)

    def failing(pages: Mapping[str, Page | None]) -> bool:
        return _failed(pages) - _failed(before) >= MANY and _now(pages, QUEUED) >= WAITING

    after = _shown(scene, failing)
    scene.upstreams.payments.script(number)
    until(lambda: scene.upstreams.payments.works(number), lambda works: works >= MANY, WITHIN)
    scene.world.all_ended()
    return Night(
        "The payment provider answered a third of the calls with 503 and cut off the others; charges waited for another try.",
        _window(before, after),
    )


def _deployment(scene: Scene) -> Night:
    before = scene.pages()
    for _ in range(REQUESTS * 2):
        because = "The database refuses this customer with a message that nobody foresaw."
        answer = _unforeseen(scene, scene.second)
        expect_status("POST of a customer that the database refuses", answer, 500, because)
    _ordinary_night(scene)
    after = _shown(scene, lambda pages: _now(pages, QUEUED) == 0)
    return Night(
        "What the new version, v2, was asked to write failed with 500; v1 was as ever.",
        _window(before, after),
    )


NIGHTS: Mapping[str, Callable[[Scene], Night]] = {
    "healthy": _healthy,
    "upstream": _upstream,
    "deployment": _deployment,
}


def _requests(scene: Scene) -> None:
    """To both versions: most are answered, some refused, one fails."""
    for api in (scene.world.api, scene.second):
        for at in range(REQUESTS - 1):
            path = "/v1/customers?limit=1" if at % 4 else "/v1/customers/999999999"
            scene.world.send("GET", path, api=api)
        _unforeseen(scene, api)


def _unforeseen(scene: Scene, api: Api) -> Answer:
    body = {"name": f"Embargo {scene.world.word()}", "email": "night@example.org"}
    return scene.world.send("POST", "/v1/customers", body, api=api)


def _ordinary_night(scene: Scene) -> Mapping[str, Any]:
    """Charges, and the ordinary requests while they are tried."""
    invoice = _charges(scene, CHARGES, refuse(503), refuse(422))
    _requests(scene)
    scene.upstreams.payments.await_calls(invoice["number"], CHARGES + 1, WITHIN)
    scene.world.all_ended()
    return invoice


def _charges(scene: Scene, times: int, *steps: object) -> Mapping[str, Any]:
    """So many charges of a new invoice; what the provider says to them, in order. The invoice."""
    invoice = scene.world.sent()
    scene.upstreams.payments.script(invoice["number"], *steps)  # type: ignore[arg-type]
    for _ in range(times):
        scene.world.charge(invoice["id"])
    return invoice


def _shown(scene: Scene, wanted: Callable[[Mapping[str, Page | None]], bool]) -> Mapping[str, Page | None]:
    """The pages as soon as they show what has happened. Raises Failure where they do not."""
    pages = until(scene.pages, wanted, WITHIN)
    if not wanted(pages):
        raise Failure(
            expected="The numbers show what happens, within seconds.",
            got="the numbers of a night do not move: see the checks of metrics",
            because="A runbook that asks numbers which do not move leads nowhere.",
            did="curl -s http://127.0.0.1:8080/metrics",
        )
    return pages


def _failed(pages: Mapping[str, Page | None]) -> float:
    worker = pages["worker"]
    if worker is None:
        raise CannotJudge("The worker has gone meanwhile.", "Grade again.")
    return worker.total(CALLS, upstream="payments", outcome=("failed", "no-answer"))


def _now(pages: Mapping[str, Page | None], metric: str) -> float:
    page = pages["web-v1"]
    return page.total(metric) if page else 0.0


def _window(before: Mapping[str, Page | None], after: Mapping[str, Page | None]) -> Window:
    return Window({process: (before[process], after[process]) for process in before})
