"""Attacks that once worked, each as small as it could be made. The threat model names them (docs/decisions/0010)."""

import ctypes
import shutil
import threading
from pathlib import Path

import psutil
import pytest

from graders.engine import memory, warden
from tests.engine.test_sandbox import Inside, inside, python

__all__ = ["inside", "python"]  # fixtures

PAUSE = "import time; time.sleep(20)"
STOPPED = "It used more than 1024 MiB of memory and was stopped.\n"
OPEN = "import socket; socket.socket({})"


@pytest.mark.parametrize("family", [40, 38, 17], ids=["vsock", "alg", "packet"])
def test_no_socket_that_a_network_namespace_does_not_hold(family: int, inside: Inside) -> None:
    """AF_VSOCK answered from the machine below this one."""
    said = inside(f"python -c '{OPEN.format(f'{family}, 1')}' 2>&1 | tail -1")
    assert "Address family not supported" in said


@pytest.mark.parametrize("family", ["socket.AF_UNIX", "socket.AF_INET", "socket.AF_INET6", "16, 3"])
def test_sockets_that_services_use(family: str, inside: Inside) -> None:
    assert "exit code 0" in inside(f"python -c '{OPEN.format(family)}'")


def test_shared_memory_counts_as_memory(inside: Inside) -> None:
    """Neither RLIMIT_DATA nor the resident pages that are a process' own alone hold memory that could be shared."""
    said = inside(
        f'python -c "import mmap\nheld = mmap.mmap(-1, 1500 << 20)\nfor at in range(0, len(held), 4096): held[at] = 1\n{PAUSE}"'
    )
    assert said.endswith(STOPPED)


def test_page_tables_count_as_memory(inside: Inside) -> None:
    """A page that is only read is the kernel's one page of zeros; a table that leads to it is not."""
    said = inside(
        'python -c "import mmap\nheld = mmap.mmap(-1, 700 << 30, flags=mmap.MAP_PRIVATE | 0x4000, prot=mmap.PROT_READ)\n'
        f'held.madvise(15)\nfor at in range(0, len(held), 2 << 20): held[at]\n{PAUSE}"'
    )
    assert said.endswith(STOPPED)


def test_it_is_the_first_to_go_when_memory_is_short(inside: Inside) -> None:
    """A process may take back what it said of itself: it is said again."""
    said = inside(
        "echo 0 > /proc/self/oom_score_adj; cat /proc/self/oom_score_adj; sleep 2; cat /proc/$$/oom_score_adj"
    )
    assert said.startswith("0\n1000\n")


def test_a_name_is_not_taken_for_a_number() -> None:
    set_name, before = 15, Path("/proc/self/comm").read_bytes().strip()
    libc = ctypes.CDLL(None)
    libc.prctl(set_name, b"Threads:\t0", 0, 0, 0)
    try:
        assert memory.threads(psutil.Process()) >= 1
    finally:
        libc.prctl(set_name, before, 0, 0, 0)


def test_folders_that_go_while_they_are_looked_at(tmp_path: Path) -> None:
    """Postgres makes and removes them, when it is told to: the warden must not die of it."""
    over = threading.Event()

    def churn() -> None:
        while not over.is_set():
            (tmp_path / "a" / "b" / "c").mkdir(parents=True, exist_ok=True)
            shutil.rmtree(tmp_path / "a")

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        assert {warden._too_much_data(tmp_path) for _ in range(2000)} == {""}
    finally:
        over.set()
        thread.join()
