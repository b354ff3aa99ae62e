"""What the checks of lesson-06 share: the dataset's two tenants, and somebody to call as."""

import random

import pytest

from graders.lesson_06.world import World
from graders.probes.api import Api
from graders.probes.identity import IdentityProvider
from graders.probes.postgres import Postgres


@pytest.fixture(scope="session")
def whole_world(api: Api, postgres: Postgres, identity_provider: IdentityProvider) -> World:
    return World(api, postgres, identity_provider)


@pytest.fixture
def world(whole_world: World, rng: random.Random) -> World:
    """The world, with the check's own random choices."""
    whole_world.draw = rng
    return whole_world
