"""Memory is counted once, wherever it is kept."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from graders.engine import memory

MIB = 2**20
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems tell resident pages alone")

SHARED_BY_TWO = """
held = mmap.mmap(-1, 64 * 2**20)
held.write(bytes(64 * 2**20))
if os.fork() == 0:
    held[:]
    time.sleep(60)
"""
FILLED_BY_ANOTHER = """
held = mmap.mmap(-1, 64 * 2**20)
if os.fork() == 0:
    held.write(bytes(64 * 2**20))
    os._exit(0)
os.wait()
"""
TABLES = """
held = mmap.mmap(-1, 2**36, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=mmap.PROT_READ)
held.madvise(15)
for place in range(0, 2**35, 2**21):
    held[place]
"""
PRIVATE = "held = bytearray(b'x' * (64 * 2**20))"


@contextmanager
def family(code: str) -> Iterator[list[psutil.Process]]:
    """A process that has done `code`, and its children."""
    whole = f"import mmap, os, sys, time\nfirst = os.getpid()\n{code}\nif os.getpid() == first: print('done', flush=True)\ntime.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", whole], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None, "started with a pipe"
        process.stdout.readline()
        head = psutil.Process(process.pid)
        found = [head, *head.children(recursive=True)]
        try:
            yield found
        finally:
            for each in found:
                each.kill()


@pytest.mark.parametrize(
    "code",
    [PRIVATE, SHARED_BY_TWO, FILLED_BY_ANOTHER, TABLES],
    ids=["private", "shared", "another's", "tables"],
)
def test_memory_is_counted_once(code: str) -> None:
    with family("pass") as idle, family(code) as busy:
        own = memory.taken(busy) - len(busy) * memory.taken(idle)
    assert 60 * MIB <= own <= 90 * MIB


def test_open_files_are_counted() -> None:
    with family("held = [os.pipe() for _ in range(100)]") as [process]:
        assert 200 <= memory.open_files(process) <= 220


def test_a_process_that_has_ended_has_nothing() -> None:
    with family("pass") as ended:
        pass
    assert memory.taken(ended) == 0
