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
from graders.probes.service import Operated, Process
from graders.probes.upstreams import Upstreams


@pytest.fixture(scope="session")
def odd_start(service: Operated) -> Process:
    """The odd one begins to start."""
    odd = {"QUEUE_LIMIT": str(ODD_LIMIT), "SUMMARY_MAX_AGE_SECONDS": str(ODD_AGE)}
    return service.start("web", odd, awaited=False)


@pytest.fixture(scope="session")
def whole_world(
    api: Api,
    client: Callable[[str], Api],
    service: Operated,
    postgres: Postgres,
    upstreams: Upstreams,
    gates: Gates,
    odd_start: Process,
) -> World:
    """Another `web` is started for it, beside the odd one: two take no longer than one."""
    return World(api, client(service.web("billing", 2)), service, postgres, upstreams, gates)


@pytest.fixture
def world(whole_world: World, rng: random.Random) -> Iterator[World]:
    """The world with a tenant of the check's own. Whoever an upstream holds for it is let go in the end."""
    whole_world.renew(rng)
    yield whole_world
    whole_world.let_go()


@pytest.fixture(scope="session")
def odd_one(service: Operated, odd_start: Process) -> Process:
    """A `web` with a short queue and summaries that soon are old. It is export-left's, which ends it, at last."""
    service.await_ready(odd_start)
    return odd_start


@pytest.fixture(scope="session")
def policies(document: Callable[[str], str | None]) -> Policies:
    """queues.toml as the submission has it. Raises Failure where it is not what CONTRACT.md describes."""
    return read_policies(document("queues.toml"))


@pytest.fixture(scope="session")
def failing(whole_world: World) -> Failing:
    """Jobs that fail for as long as they are tried: begun by the first check that asks, judged by later ones."""
    return Failing(whole_world)
