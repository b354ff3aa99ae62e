"""The incident drill: four nights, each with another cause or none, and what the processes told meanwhile.

The nights are recorded first. The runbook is judged over the records afterwards: see `runbook`.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import cycle, islice

from graders.check import CannotJudge, Failure
from graders.lesson_08.runbook import Window
from graders.lesson_08.waiting import until
from graders.lesson_08.world import World, expect_status, told_of
from graders.probes.api import Api
from graders.probes.exposition import Page, page_of
from graders.probes.upstreams import CUT, Upstreams, refuse

REQUESTS = 12  # ordinary ones, to each `web`; one of them fails, in every night
CHARGES = 10  # in an ordinary night; one is refused, one tried twice
MANY = 24
WAITING = 18  # more than the lesson says, so that no bound at its edge decides
CALLS, QUEUED = "upstream_requests_total", "jobs_queued"
WITHIN = 15.0


@dataclass(frozen=True)
class Night:
    """What was the matter, in words, and what the processes told."""

    story: str
    window: Window


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


def nights(world: World, second: Api, upstreams: Upstreams, draw: random.Random) -> Mapping[str, Night]:
    """All four, by their cause, in an order that is drawn. Raises Failure where the numbers do not show a cause."""
    scene = Scene(world, second, upstreams)
    world.all_ended()
    order = [*NIGHTS]
    draw.shuffle(order)
    return {cause: NIGHTS[cause](scene) for cause in order}


def _healthy(scene: Scene) -> Night:
    before = scene.pages()
    _ordinary(scene)
    _ordinary_charges(scene)
    after = _shown(scene, lambda pages: _now(pages, QUEUED) == 0)
    return Night("Nothing was the matter: now and then a call fails, and a request.", _window(before, after))


def _upstream(scene: Scene) -> Night:
    before = scene.pages()
    _ordinary(scene)
    number = _charges(scene, MANY, *islice(cycle((refuse(503), CUT, CUT)), 40 * MANY))

    def failing(pages: Mapping[str, Page | None]) -> bool:
        return _failed(pages) - _failed(before) >= MANY and _now(pages, QUEUED) >= WAITING

    after = _shown(scene, failing)
    scene.upstreams.payments.script(number)
    scene.world.all_ended()
    return Night(
        "The payment provider answered a third of the calls with 503 and cut off the others; charges waited for another try.",
        _window(before, after),
    )


def _backlog(scene: Scene) -> Night:
    before = scene.pages()
    _ordinary(scene)
    _ordinary_charges(scene)
    for worker in scene.world.service.processes("worker"):
        worker.kill()
    try:
        _charges(scene, MANY)
        after = _shown(scene, lambda pages: _now(pages, QUEUED) >= MANY)
    finally:
        scene.world.service.start("worker")
    scene.world.all_ended()
    return Night("Charges were ordered, and no worker took them.", _window(before, after))


def _deployment(scene: Scene) -> Night:
    before = scene.pages()
    _ordinary(scene)
    _fail(scene, scene.second, REQUESTS * 2)
    _ordinary_charges(scene)
    after = _shown(scene, lambda pages: _now(pages, QUEUED) == 0)
    return Night(
        "What the new version, v2, was asked to write failed with 500; v1 was as ever.",
        _window(before, after),
    )


NIGHTS: Mapping[str, Callable[[Scene], Night]] = {
    "healthy": _healthy,
    "upstream": _upstream,
    "backlog": _backlog,
    "deployment": _deployment,
}


def _ordinary(scene: Scene) -> None:
    """Requests to both versions: most are answered, some refused, one fails."""
    for api in (scene.world.api, scene.second):
        for at in range(REQUESTS - 1):
            path = "/v1/customers?limit=1" if at % 4 else "/v1/customers/999999999"
            scene.world.send("GET", path, api=api)
        _fail(scene, api, 1)


def _fail(scene: Scene, api: Api, times: int) -> None:
    for _ in range(times):
        body = {"name": f"Embargo {scene.world.word()}", "email": "night@example.org"}
        answer = scene.world.send("POST", "/v1/customers", body, api=api)
        because = "The database refuses this customer with a message that nobody foresaw."
        expect_status("POST of a customer that the database refuses", answer, 500, because)


def _ordinary_charges(scene: Scene) -> None:
    _charges(scene, CHARGES, refuse(503), refuse(422))
    scene.world.all_ended()


def _charges(scene: Scene, times: int, *steps: object) -> str:
    """So many charges of a new invoice; what the provider says to them, in order. The invoice's number."""
    invoice = scene.world.sent()
    scene.upstreams.payments.script(invoice["number"], *steps)  # type: ignore[arg-type]
    for _ in range(times):
        scene.world.charge(invoice["id"])
    return str(invoice["number"])


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
