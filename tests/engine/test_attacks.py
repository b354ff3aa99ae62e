"""Attacks that once worked, each as small as it could be made. The threat model names them (docs/decisions/0010)."""

import ctypes
import json
import shutil
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from graders.engine import memory, warden
from graders.engine.package_lock import NotLocked, expect_locked
from graders.engine.submission import SubmissionRefused, examine, from_folder
from labs.catalog import Lab
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


LOCK: dict[str, Any] = {
    "lockfileVersion": 3,
    "packages": {"": {}, "node_modules/six": {"integrity": "sha512-x"}},
}


def _locked(folder: Path, manifest: object, lock: object) -> None:
    files = folder / "package.json", folder / "package-lock.json"
    for file, content in zip(files, (manifest, lock), strict=True):
        file.write_text(content if isinstance(content, str) else json.dumps(content))
    expect_locked(*files)


@pytest.mark.parametrize(
    "wanted", ["^1.2.0", ">=1 <2 || 3.x", "latest", "*", "", "npm:other@~1.0", "npm:@a/b@1"]
)
def test_releases_are_wanted_of_npm_as_usual(wanted: str, tmp_path: Path) -> None:
    _locked(tmp_path, {"dependencies": {"six": wanted}, "overrides": {"six": {".": "$six"}}}, LOCK)


ADDRESSES = [
    "git+http://127.0.0.1:9/x",
    "http://127.0.0.1:9/x.tgz",
    "file:/etc",
    "somebody/something",
    "/etc",
    "../x",
]


@pytest.mark.parametrize("wanted", ADDRESSES)
@pytest.mark.parametrize("group", ["dependencies", "devDependencies", "peerDependencies", "overrides"])
def test_npm_is_asked_for_no_address(wanted: str, group: str, tmp_path: Path) -> None:
    """npm asks for what the lock leaves out, and did so on the grader's network before it refused."""
    with pytest.raises(NotLocked, match="no release"):
        _locked(tmp_path, {group: {"six": wanted}}, LOCK)
    with pytest.raises(NotLocked, match="no release"):
        _locked(
            tmp_path,
            {},
            LOCK | {"packages": {"node_modules/six": {"integrity": "x", group: {"evil": wanted}}}},
        )


@pytest.mark.parametrize(
    "text", ["[" * 200_000, '{"packages": []}', '{"packages": {"a": 1}}', "[]", "1" * 5_000, " " * 9_000_000]
)
def test_a_lock_that_is_none_is_the_submission_s_fault(text: str, tmp_path: Path) -> None:
    """Too deep a lock ended the grader without a result."""
    with pytest.raises(NotLocked):
        _locked(tmp_path, {}, text)


def test_folders_count_as_files(lab: Lab, tmp_path: Path) -> None:
    """A few files in many folders filled the box, and the machine was blamed."""
    for number in range(300):
        file = tmp_path.joinpath("work", str(number), *"abcdefghijklmnopqrst", "file")
        file.parent.mkdir(parents=True)
        file.touch()
    with pytest.raises(SubmissionRefused, match="more than 5000 files and folders"):
        examine(from_folder(tmp_path / "work"), lab)


def test_a_path_that_is_too_long_where_it_is_laid(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "work" / "/".join(["x" * 200] * 6)).mkdir(parents=True)
    with pytest.raises(SubmissionRefused, match="nested too deep"):
        examine(from_folder(tmp_path / "work"), lab)
