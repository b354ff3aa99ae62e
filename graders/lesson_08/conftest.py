"""What the checks of lesson-08 share: somebody who calls, and what is recorded once and judged by several."""

import random
from collections.abc import Callable, Mapping

import pytest

from graders.lesson_08.calls import Ordered, ordered
from graders.lesson_08.drill import (
    Abandoned,
    Aged,
    Night,
    Scene,
    Unattended,
    abandoned,
    aged,
    nights,
    unattended,
)
from graders.lesson_08.holding import Held, held
from graders.lesson_08.lines import Lines
from graders.lesson_08.outages import Outage, outages
from graders.lesson_08.starting import (
    NEW_VERSION,
    Started,
    begun_without_cache,
    ended_up,
    started_without_postgres,
)
from graders.lesson_08.world import World
from graders.probes.ahead import begin
from graders.probes.api import Api
from graders.probes.faults import Gates
from graders.probes.postgres import Postgres
from graders.probes.service import Operated, Printed, Process
from graders.probes.upstreams import Upstreams


@pytest.fixture(scope="session")
def whole_world(api: Api, service: Operated, client: Callable[[str], Api]) -> World:
    return World(api, service, client)


@pytest.fixture
def world(whole_world: World, rng: random.Random) -> World:
    """The world, with the check's own random choices."""
    whole_world.draw = rng
    return whole_world


@pytest.fixture
def lines(printed: Printed) -> Lines:
    """What is printed from here on."""
    return Lines(printed, printed.mark())


@pytest.fixture(scope="session")
def seen_outages(whole_world: World, gates: Gates) -> dict[str, Outage]:
    """Postgres is cut, refuses, and is silent, once for all checks; what the service said of it meanwhile."""
    return outages(whole_world, gates.postgres)


@pytest.fixture(scope="session")
def seen_held(whole_world: World, postgres: Postgres, request: pytest.FixtureRequest) -> Held:
    """Requests are held up by a lock, once for all checks; what the service measured meanwhile.

    No worker is needed for it: jobs that nobody does grow old at the same time.
    """
    begin(request, "abandoned_jobs")
    return held(whole_world, postgres)


@pytest.fixture(scope="session")
def seen_start(whole_world: World, gates: Gates, request: pytest.FixtureRequest) -> Started:
    """A `web` of the new version, started while Postgres was away."""
    return started_without_postgres(whole_world, gates, lambda: begin(request, "web_without_cache"))


@pytest.fixture(scope="session")
def web_without_cache(whole_world: World) -> Process:
    """A `web` that has just been started while the cache was away."""
    return begun_without_cache(whole_world)


@pytest.fixture(scope="session")
def seen_start_without_cache(web_without_cache: Process) -> Started:
    """A `web` that was started while the cache was away."""
    return ended_up(web_without_cache)


@pytest.fixture(scope="session")
def ordered_calls(whole_world: World, upstreams: Upstreams) -> Ordered:
    """Jobs whose calls end in every way; they have just been ordered."""
    return ordered(whole_world, upstreams)


@pytest.fixture
def calls_ahead(world: World, request: pytest.FixtureRequest) -> None:
    """They are tried during the check."""
    begin(request, "ordered_calls")


@pytest.fixture(scope="session")
def scene(whole_world: World, upstreams: Upstreams, seen_start: Started) -> Scene:
    """A `web` of each version, beside each other."""
    new = seen_start.or_another(whole_world.service, NEW_VERSION)
    return Scene(whole_world, whole_world.clients(new.url), upstreams)


@pytest.fixture(scope="session")
def abandoned_jobs(scene: Scene) -> Abandoned:
    """No worker runs from here on, and jobs have just been ordered."""
    return abandoned(scene)


@pytest.fixture(scope="session")
def aged_jobs(scene: Scene, abandoned_jobs: Abandoned) -> Aged:
    """They have grown old, and a worker has just been started."""
    return aged(scene, abandoned_jobs)


@pytest.fixture
def worker_ahead(world: World, request: pytest.FixtureRequest) -> None:
    """It takes up its work during the check."""
    begin(request, "aged_jobs")


@pytest.fixture(scope="session")
def seen_unattended(scene: Scene, abandoned_jobs: Abandoned, aged_jobs: Aged) -> Unattended:
    """No worker ran for a while, once for all checks; what `web` told of the queue meanwhile, and the whole night."""
    return unattended(scene, abandoned_jobs, aged_jobs)


@pytest.fixture(scope="session")
def four_nights(scene: Scene, seen_unattended: Unattended) -> Mapping[str, Night]:
    """Four nights, each with another cause or none, once for all checks."""
    return nights(scene, seen_unattended, scene.world.draw)
