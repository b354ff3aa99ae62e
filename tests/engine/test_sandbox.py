"""What a submission sees and may use, told by commands inside real boxes."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from graders.engine import cgroup
from graders.engine.runtime import python_environment
from graders.engine.seccomp import ARCHITECTURES, program
from labs.catalog import Lab
from tests.engine.conftest import REPOSITORY, Door

Inside = Callable[[str], str]


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment as submissions have it."""
    folder = tmp_path_factory.mktemp("requirements")
    (folder / "requirements.txt").touch()
    return python_environment(folder / "requirements.txt") / "python"


@pytest.fixture
def inside(python: Path, open_folder: Path) -> Iterator[Inside]:
    """Runs a shell line in a box and gives what it printed, its exit code, and what it was kept from."""
    if not shutil.which("bwrap"):
        absent("bubblewrap is not installed: no box to look at")
    made: list[Path] = []

    def run(line: str) -> str:
        run_dir = open_folder / f"box-{os.getpid()}-{len(made)}"
        run_dir.mkdir(mode=0o711)
        made.append(run_dir)
        done = subprocess.run(
            [sys.executable, "-m", "tests.engine.in_a_box", str(run_dir), str(python), line],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield run
    for run_dir in made:
        shutil.rmtree(run_dir)


def absent(what: str) -> None:
    """Not run, and said so; on a CI machine, which has to have everything, that is a failure."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(what)


def test_it_is_somebody_else_with_no_rights(inside: Inside) -> None:
    said = inside("id -u; grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status; cat /etc/passwd")
    assert said.startswith("2000\n")
    assert "CapEff:\t0000000000000000" in said
    assert "CapBnd:\t0000000000000000" in said
    assert "NoNewPrivs:\t1" in said
    assert "root" not in said


def test_its_processes_are_all_there_are(inside: Inside) -> None:
    said = inside("ls -d /proc/[0-9]* | wc -l; kill -9 -1; echo alive")
    processes = int(said.splitlines()[0])
    assert processes <= 6, "bubblewrap, the shell and this line"


def test_no_files_but_its_own_and_the_system_s(inside: Inside, python: Path) -> None:
    known = ("/proc", "/usr", "/etc", "/dev", sys.base_prefix, str(python.parents[1]))
    skipped = " -o ".join(f"-path {path} -prune" for path in known)
    assert inside(f"find / {skipped} -o -type f -print") == "/app/mine\nexit code 0\n"


@pytest.mark.parametrize("path", ["/x", "/usr/x", "/etc/x", "/dev/x", "/proc/x", "/etc/passwd"])
def test_the_root_is_read_only(path: str, inside: Inside) -> None:
    assert "exit code 0" not in inside(f"exec 2>&1; echo x > {path}")


def test_its_tree_and_scratch_are_writable(inside: Inside) -> None:
    assert "exit code 0" in inside("echo x > /app/x && echo x > /tmp/x && echo x > /dev/shm/x && pwd")


def test_no_way_out(inside: Inside) -> None:
    """Neither the world nor a service of the machine on the same address; its own loopback works."""
    with socket.create_server(("127.0.0.1", 0)) as service:
        port = service.getsockname()[1]
        service.settimeout(0.2)
        said = inside(
            f"for address in 127.0.0.1/{port} 192.0.2.1/80; do "
            'bash -c "exec 3<>/dev/tcp/$address" 2>&1 && echo reached; done; '
            "python -c \"import socket; s = socket.create_server(('127.0.0.1', 0)); "
            "socket.create_connection(s.getsockname()); print('own loopback')\""
        )
        with pytest.raises(TimeoutError):
            service.accept()
    assert "reached" not in said
    assert "Connection refused" in said
    assert "unreachable" in said
    assert "own loopback" in said


CALL = "import ctypes, os; libc = ctypes.CDLL(None, use_errno=True); print(libc.syscall({}, 0, 0, 0), os.strerror(ctypes.get_errno()))"


@pytest.mark.parametrize("name", ["memfd_create", "shmget", "io_uring_setup", "ptrace"])
def test_calls_that_no_limit_sees_do_not_exist(name: str, inside: Inside) -> None:
    from graders.engine.seccomp import REFUSED

    column = [*ARCHITECTURES].index(os.uname().machine)
    said = inside(f'python -c "{CALL.format(REFUSED[name][column])}"')
    assert said.startswith("-1 Function not implemented")


def test_no_filter_where_the_numbers_are_not_known() -> None:
    assert program("riscv64") is None
    assert all(program(machine) for machine in ARCHITECTURES)


def test_no_user_namespace_of_its_own(inside: Inside) -> None:
    assert "exit code 0" not in inside("unshare --user true 2>&1")


def test_memory_has_a_bound(inside: Inside) -> None:
    grow = "held = []\\nwhile True: held.append(bytearray(32_000_000)); held[-1][::4096] = b'x' * len(held[-1][::4096])"
    said = inside(f'printf "{grow}" | python -')
    assert said.endswith("It used more than 1024 MiB of memory and was stopped.\n")


def test_processes_have_a_bound(inside: Inside) -> None:
    said = inside(
        "python -c 'import os, time\nfor _ in range(400):\n    if os.fork() == 0: break\ntime.sleep(60)'"
    )
    assert re.search(r"It had \d+ processes and was stopped\.", said)


def test_processes_and_threads_have_a_bound(inside: Inside) -> None:
    said = inside(
        "python -c 'import threading, time\nmade = 0\ntry:\n    while True:\n"
        "        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n        made += 1\n"
        "except RuntimeError as error: print(made, error, flush=True)'"
    )
    assert 400 < int(said.split()[0]) < 520


def test_files_have_a_bound(inside: Inside) -> None:
    said = inside(
        "head -c 400m /dev/zero > /tmp/a 2>&1; head -c 200m /dev/zero > /tmp/b 2>&1; stat -c %s /tmp/a /tmp/b"
    )
    sizes = [int(line) for line in said.splitlines() if line.isdigit()]
    assert sum(sizes) <= 256 * 2**20
    assert "It filled its 256 MiB, or 20000 files, of scratch space." in said


def test_the_number_of_files_has_a_bound(inside: Inside) -> None:
    said = inside(
        "python -c \"import pathlib\nfor n in range(30_000): pathlib.Path(f'/tmp/{n}').touch()\" 2>&1 | tail -1"
    )
    assert "No space left on device" in said


def test_a_daemon_ends_with_its_process(inside: Inside, open_folder: Path) -> None:
    said = inside("(setsid sh -c 'sleep 1000 & sleep 1000' &) ; echo left")
    assert said.startswith("left")
    mine = subprocess.run(["pgrep", "-fc", "sleep 1000"], capture_output=True, text=True, check=False)
    assert mine.stdout.strip() == "0"


def test_untrusted_work_is_not_graded_without_a_sandbox(door: Door, tmp_path: Path) -> None:
    for program_ in ("sh", "git"):
        (tmp_path / program_).symlink_to(shutil.which(program_) or "")
    poor = Door(door.kit, door.cache, door.records, {"PATH": str(tmp_path), "CI": "true"})
    done = poor("grade", "1", "--reference")
    assert done.returncode == 3
    assert "No sandbox works on this machine: bubblewrap is not installed." in done.stdout
    assert "apt install bubblewrap" in done.stdout
    trusted = poor("grade", "1", "--reference", "--trusted")
    assert trusted.returncode == 0
    assert "(bubblewrap is not installed)" in " ".join(trusted.stdout.split())


def test_nothing_is_installed_where_that_is_forbidden(door: Door, lab: Lab, submission: Path) -> None:
    (submission / "requirements.txt").write_text("# unlike any other\n")
    done = door("grade", "1", "--submission", str(submission), "--no-install")
    assert done.returncode == 3
    assert "--no-install forbids" in " ".join(done.stdout.split())
    assert door("grade", "1", "--submission", str(submission)).returncode == 0
    assert door("grade", "1", "--submission", str(submission), "--no-install").returncode == 0


HIDE = """
import mmap, time
kept = []
for _ in range(12):
    kept.append(mmap.mmap(-1, 128 * 2**20))
    for page in range(0, 128 * 2**20, 4096):
        kept[-1][page] = 1
    kept[-1].madvise(mmap.MADV_DONTNEED)
    print('filled', flush=True)
print('all of it')
"""


def test_a_cgroup_counts_memory_that_its_owner_let_go_of(inside: Inside) -> None:
    """Shared pages stay when they are mapped no more. No count of processes sees them."""
    tried = cgroup.make(Path("/nonexistent/run"), 2**30)
    if tried is None:
        pytest.skip("no memory cgroup can be made here: it takes root")
    else:
        tried.remove()
    said = inside(f'python -c "{HIDE}"')
    assert "all of it" not in said
    assert "It used more than 1024 MiB of memory and was stopped." in said


def test_no_cgroup_is_left(inside: Inside, open_folder: Path) -> None:
    inside("sleep 1000 & true")
    left = cgroup.make(open_folder / "another", 2**30)
    if not left:
        pytest.skip("no memory cgroup can be made here: it takes root")
    else:
        left.remove()
        assert not [*left.folder.parent.glob(left.folder.name.rpartition("-")[0] + "-*")]
