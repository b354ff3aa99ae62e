"""What the checks of lesson-02 share: who is there, how to ask, and the document as a stranger gets it."""

import pytest

from graders.lesson_02.population import Population, population_of
from graders.probes.api import Api
from graders.probes.openapi_document import Document, fetch
from graders.probes.postgres import Postgres
from graders.probes.service import Service
from graders.probes.transcript import Transcript


@pytest.fixture(scope="session")
def people(postgres: Postgres) -> Population:
    return population_of(postgres)


@pytest.fixture(scope="session")
def http(service: Service, steps: Transcript) -> Api:
    """The service, asked with lines that show status and headers: they are what this lesson is about."""
    return Api(service.web("billing"), steps, shows_head=True)


@pytest.fixture(scope="session")
def openapi(http: Api) -> Document:
    return fetch(http)
