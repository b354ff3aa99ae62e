"""What the checks of lesson-05 share: who is there, how to ask, what is right, and what was recorded once for several."""

from collections.abc import Callable

import pytest

from graders.lesson_05.oracle import Oracle
from graders.lesson_05.population import Population, expect_kept, population_of
from graders.lesson_05.reads import Reads
from graders.lesson_05.usage import Usage, usage_of
from graders.lesson_05.walks import LongWalk, walk_whale
from graders.lesson_05.warmth import warm
from graders.probes.api import Api
from graders.probes.migration import Rehearsal, rehearse
from graders.probes.postgres import Postgres
from graders.probes.service import Service

SMALL = "billing_small"
RELEASE_SECONDS = 45.0


@pytest.fixture(scope="session")
def people(postgres: Postgres) -> Population:
    return population_of(postgres)


@pytest.fixture(scope="session")
def oracle(postgres: Postgres) -> Oracle:
    return Oracle(postgres)


@pytest.fixture(scope="session")
def reads(api: Api, postgres: Postgres, people: Population) -> Reads:
    """The four reads on the full database, each asked often enough that its statements are prepared."""
    reads = Reads(api)
    warm(reads, postgres, people)
    return reads


@pytest.fixture(scope="session")
def whale_walk(reads: Reads, postgres: Postgres, people: Population) -> LongWalk:
    """The whale's list from the first page to the last, walked once."""
    return walk_whale(reads, postgres, people)


@pytest.fixture(scope="session")
def usage(reads: Reads, postgres: Postgres, people: Population) -> Usage:
    """Which indexes the reads and the writes went through."""
    return usage_of(reads, postgres, people)


@pytest.fixture(scope="session")
def rehearsal(service: Service, connect: Callable[[str], Postgres]) -> Rehearsal:
    """The submission's release on the small database, while others write to it."""
    return rehearse(connect(SMALL), service, RELEASE_SECONDS)


@pytest.fixture(scope="session")
def small(rehearsal: Rehearsal, connect: Callable[[str], Postgres]) -> Postgres:
    """The small database, after the submission's release."""
    small = connect(SMALL)
    expect_kept(small)
    return small


@pytest.fixture(scope="session")
def small_people(small: Postgres) -> Population:
    return population_of(small)


@pytest.fixture(scope="session")
def small_reads(
    small: Postgres, small_people: Population, service: Service, client: Callable[[str], Api]
) -> Reads:
    """The four reads on the small database, warm."""
    reads = Reads(client(service.web(SMALL)))
    warm(reads, small, small_people, rounds=8)
    return reads
