"""What the checks of lesson-07 share: the service with its surroundings, and jobs that fail while others are looked at."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from graders.lesson_07.failing import Failing
from graders.lesson_07.policies import Policies, read_policies
from graders.lesson_07.shifts import Shifts
from graders.lesson_07.world import ODD_AGE, ODD_LIMIT, Coming, World
from graders.probes.ahead import Beside, selected
from graders.probes.api import Api
from graders.probes.faults import Gates
from graders.probes.postgres import Postgres
from graders.probes.service import Operated, Process
from graders.probes.transcript import Transcript
from graders.probes.upstreams import Upstreams


@pytest.fixture(scope="session")
def odd_start(service: Operated) -> Coming:
    """The odd one begins to start."""
    return Coming(service, {"QUEUE_LIMIT": str(ODD_LIMIT), "SUMMARY_MAX_AGE_SECONDS": str(ODD_AGE)})


@pytest.fixture(scope="session")
def whole_world(
    api: Api,
    client: Callable[[str], Api],
    service: Operated,
    postgres: Postgres,
    upstreams: Upstreams,
    gates: Gates,
    odd_start: Coming,
) -> World:
    """With two more `web` processes on their way."""
    return World(api, Coming(service), client, service, postgres, upstreams, gates)


@pytest.fixture
def world(whole_world: World, rng: random.Random) -> Iterator[World]:
    """The world with a tenant of the check's own. Whoever an upstream holds for it is let go in the end."""
    whole_world.renew(rng)
    yield whole_world
    whole_world.let_go()


@pytest.fixture(scope="session")
def odd_one(odd_start: Coming) -> Process:
    """A `web` with a short queue and summaries that soon are old. It is export-left's, which ends it, at last."""
    return odd_start.process


@pytest.fixture(scope="session")
def dying(service: Operated) -> Coming:
    """A `web` that will be killed in the middle of a request."""
    return Coming(service)


@pytest.fixture(scope="session")
def policies(document: Callable[[str], str | None]) -> Policies:
    """queues.toml as the submission has it. Raises Failure where it is not what CONTRACT.md describes."""
    return read_policies(document("queues.toml"))


@pytest.fixture(scope="session")
def failing(whole_world: World) -> Failing:
    """Jobs that fail for as long as they are tried: begun by the first check that asks, judged by later ones."""
    return Failing(whole_world)


@pytest.fixture(scope="session")
def shifts(whole_world: World, connect: Callable[[str], Postgres], request: pytest.FixtureRequest) -> Beside:
    """What becomes of jobs whose worker is killed, held up or stopped: from here on, beside the checks that run."""
    steps = Transcript()
    api = Api(whole_world.second.process.url, steps)
    world = replace(whole_world, api=api, postgres=connect("billing"), _held=[], tenants=[])
    chosen = {id: play for id, play in Shifts(world).scenarios().items() if selected(request, id)}
    return Beside(chosen, world.no_worker, steps.last)
