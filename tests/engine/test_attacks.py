"""Attacks that once worked, each as small as it could be made. The threat model names them (docs/decisions/0010)."""

import json
from pathlib import Path

import pytest

from tests.engine.conftest import Door
from tests.engine.test_sandbox import Inside, inside, python

__all__ = ["inside", "python"]  # fixtures

OPEN = "import socket; socket.socket({})"


@pytest.mark.parametrize("family", [40, 38, 17], ids=["vsock", "alg", "packet"])
def test_no_socket_that_a_network_namespace_does_not_hold(family: int, inside: Inside) -> None:
    """AF_VSOCK answered from the machine below this one."""
    said = inside(f"python -c '{OPEN.format(f'{family}, 1')}' 2>&1 | tail -1")
    assert "Address family not supported" in said


@pytest.mark.parametrize("family", ["socket.AF_UNIX", "socket.AF_INET", "socket.AF_INET6", "16, 3"])
def test_sockets_that_services_use(family: str, inside: Inside) -> None:
    assert "exit code 0" in inside(f"python -c '{OPEN.format(family)}'")
