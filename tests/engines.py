"""A Docker engine for the tests that need one, and images for it. Without one they say so, and are not run."""

import os
from collections.abc import Iterator

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
        pytest.skip(f"{error.problem} {error.remedy}")
