"""Who descends from whom, read of the kernel."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from graders.engine.family import Kin, below, everyone

# It names itself as the kernel would write the end of a name and another parent, and starts a child.
NAMED = """
import ctypes, subprocess, sys
ctypes.CDLL(None).prctl(15, b"x) S 1 (y", 0, 0, 0)
child = subprocess.Popen([sys.executable, "-c", "print('up', flush=True); input()"], stdin=0)
child.wait()
"""


@pytest.fixture
def odd() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", NAMED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        yield process
        process.communicate("\n")


@pytest.mark.skipif(sys.platform != "linux", reason="names itself by prctl")
def test_a_name_cannot_lie_about_the_parent(odd: subprocess.Popen[str]) -> None:
    assert everyone()[odd.pid] == Kin(os.getpid(), "x) S 1 (y")


def test_all_descendants_are_found_and_nobody_else(odd: subprocess.Popen[str]) -> None:
    expected = {each.pid for each in psutil.Process(odd.pid).children(recursive=True)}
    assert len(expected) == 1
    assert below([odd.pid], everyone()) == expected


def test_a_loop_ends() -> None:
    assert below([1], {2: Kin(1, "a"), 1: Kin(2, "b")}) == {1, 2}
