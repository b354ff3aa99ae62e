"""A Docker engine for the tests that need one, and images for it. Without one they say so, and are not run.

Where OCTO_LAB_TESTS_NEED_DOCKER is set, as CI does, a test that cannot run fails.
"""

import os
from collections.abc import Iterator
from typing import NoReturn

import pytest

from compose import engine
from compose.stores import StoresFailed


@pytest.fixture(scope="session")
def docker() -> Iterator[engine.Client]:
    """The engine's client. Stand-ins are used where they have been built and nothing else is asked for."""
    try:
        with engine.connected() as client, pytest.MonkeyPatch.context() as patch:
            for name, (variable, _) in engine.IMAGES.items():
                stand_in = f"octo_lab/stand-in-{name}:trixie"
                if variable not in os.environ and client.images.list(name=stand_in):
                    patch.setenv(variable, stand_in)
            yield client
    except StoresFailed as error:
        missing(f"{error.problem} {error.remedy}")


def missing(what: str) -> NoReturn:
    """End the test that asked: it is not run, or it fails where Docker was promised."""
    if os.environ.get("OCTO_LAB_TESTS_NEED_DOCKER"):
        pytest.fail(what)
    pytest.skip(what)
