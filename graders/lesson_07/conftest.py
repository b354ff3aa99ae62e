"""What the checks of lesson-07 share: the service with its surroundings, and jobs that fail while others are looked at."""

import random
from collections.abc import Callable, Iterator

import pytest

from graders.lesson_07.failing import Failing
from graders.lesson_07.policies import Policies, read_policies
from graders.lesson_07.world import ODD_AGE, ODD_LIMIT, World
from graders.probes.api import Api
from graders.probes.faults import Gates
from graders.probes.postgres import Postgres
from graders.probes.service import Operated
from graders.probes.upstreams import Upstreams


@pytest.fixture(scope="session")
def whole_world(
    api: Api,
    client: Callable[[str], Api],
    service: Operated,
    postgres: Postgres,
    upstreams: Upstreams,
    gates: Gates,
) -> World:
    return World(api, client(service.web("billing", 2)), service, postgres, upstreams, gates)


@pytest.fixture
def world(whole_world: World, rng: random.Random) -> Iterator[World]:
    """The world with a tenant of the check's own. Whoever an upstream holds for it is let go in the end."""
    whole_world.renew(rng)
    yield whole_world
    whole_world.let_go()


@pytest.fixture(scope="session")
def odd_one(service: Operated, client: Callable[[str], Api]) -> Api:
    """A `web` process with a short queue and summaries that soon are old."""
    odd = {"QUEUE_LIMIT": str(ODD_LIMIT), "SUMMARY_MAX_AGE_SECONDS": str(ODD_AGE)}
    return client(service.start("web", odd).url)


@pytest.fixture(scope="session")
def policies(document: Callable[[str], str | None]) -> Policies:
    """queues.toml as the submission has it. Raises Failure where it is not what CONTRACT.md describes."""
    return read_policies(document("queues.toml"))


@pytest.fixture(scope="session")
def failing(whole_world: World) -> Failing:
    """Jobs that fail for as long as they are tried: begun by the first check that asks, judged by later ones."""
    return Failing(whole_world)
