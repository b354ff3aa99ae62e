"""What the checks of lesson-06 share: the dataset's two tenants, and somebody to call as."""

import random
from collections.abc import Iterator

import pytest

from graders.lesson_06.world import World
from graders.probes.api import Api
from graders.probes.identity import IdentityProvider
from graders.probes.postgres import Postgres


@pytest.fixture(scope="session")
def whole_world(api: Api, postgres: Postgres, identity_provider: IdentityProvider) -> World:
    return World(api, postgres, identity_provider)


@pytest.fixture
def world(whole_world: World, rng: random.Random) -> Iterator[World]:
    """The world, with the check's own random choices."""
    whole_world.draw = rng
    whole_world.put_back()
    yield whole_world
    whole_world.put_back()
