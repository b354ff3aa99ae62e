"""What a submission on Docker sees and may use, told by commands inside real containers; and grades there."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from compose import containers
from compose.engine import IMAGES, Client, image
from compose.places import run_directory
from compose.service_image import Recipe, built
from graders.engine.docker_rung import contained, dependencies
from graders.engine.docker_warden import watching
from graders.engine.grade import Request, grade
from graders.engine.processes import Log, start
from graders.engine.prove import prove
from graders.engine.runtime import InstallFailed
from graders.engine.submission import from_folder
from graders.probes.played import Asked, PlayedServer, Reply
from graders.reports.json_report import loads
from labs.catalog import Lab
from tests.engine.conftest import Door
from tests.engines import docker as docker

ENV = {"PATH": "/venv/bin:/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"}

Inside = Callable[[str], str]


@pytest.fixture(scope="module")
def inside(docker: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """Runs a shell line as a submission would run; what it printed, its exit code, and what it was kept from."""
    tree = tmp_path_factory.mktemp("tree")
    (tree / "mine").write_text("a file of the submission's")
    image = built(docker, Recipe({"requirements.txt": b""}, "dependencies"), 300, print)
    with (
        run_directory() as run,
        containers.start(frozenset({"cache"}), None, run.path, record=run.record) as stores,
    ):
        assert stores.enclosure
        isolation = contained(stores.enclosure, image, tree, run.path / "submission")

        def say(line: str) -> str:
            assert stores.enclosure
            log = Log()
            running = start("box", line, ENV, log, isolation=isolation, record=run.record)
            with watching(stores.enclosure, [running], log):
                running.ended_within(60)
            code = running.stop()
            return "\n".join([*(entry.text for entry in log.since(0)), f"exit code {code}"])

        yield say


def test_it_is_somebody_else_with_no_rights(inside: Inside) -> None:
    said = inside("id -u; grep -E 'CapEff|CapBnd|NoNewPrivs|Seccomp:' /proc/self/status")
    assert said.startswith("2000\n")
    assert "CapEff:\t0000000000000000" in said
    assert "CapBnd:\t0000000000000000" in said
    assert "NoNewPrivs:\t1" in said
    assert "Seccomp:\t2" in said


def test_its_processes_are_all_there_are(inside: Inside) -> None:
    said = inside("cat /proc/[0-9]*/comm | sort | uniq -c")
    assert "redis" not in said
    assert "python" not in said


def test_it_writes_its_tree_and_its_scratch_and_nothing_else(inside: Inside) -> None:
    said = inside(
        "cat mine; echo; echo new >mine && cat mine; echo x >$HOME/x && echo scratch;"
        " exec 2>&1; (echo x >/etc/x); (echo x >/venv/x)"  # two streams have no order between them
    )
    assert "a file of the submission's\nnew\nscratch" in said
    assert said.count("Read-only file system") == 2


def test_there_is_nobody_on_its_network_but_the_stores(inside: Inside) -> None:
    """An internal network would reach what this machine serves on all its addresses: this one has no way out at all."""
    with socket.socket() as listening:
        listening.bind(("0.0.0.0", 0))
        listening.listen()
        port = listening.getsockname()[1]
        program = (
            "import socket\n"
            "print(sorted(name for _, name in socket.if_nameindex()))\n"
            "for host in ('172.17.0.1', '10.0.0.1', '127.0.0.1', 'host.docker.internal'):\n"
            f"    try: socket.create_connection((host, {port}), 2); print(host, 'reached')\n"
            "    except OSError as error: print('no', host)\n"
        )
        said = inside(f'python -c "{program}"')
    assert "['lo']" in said
    assert "reached" not in said
    assert said.count("no ") == 4


def test_it_reaches_a_server_that_the_grader_plays(docker: Client, tmp_path: Path) -> None:
    """By ports of its own loopback; who else on this machine comes to the other end is given nobody."""
    asked: list[str] = []

    def answer(request: Asked) -> Reply:
        asked.append(request.path)
        return Reply(200, b"played " * 50_000)

    with (
        run_directory() as run,
        containers.start(frozenset({"cache"}), None, run.path, ways_out=6, record=run.record) as stores,
        closing(PlayedServer(answer)) as server,
    ):
        enclosure = stores.enclosure
        assert enclosure
        image = built(docker, Recipe({"requirements.txt": b""}, "dependencies"), 300, print)
        isolation = contained(enclosure, image, tmp_path, run.path / "submission")
        with (
            socket.create_connection(("127.0.0.1", enclosure.ports.out[0]), 10) as stranger,
            enclosure.leads_to(server.port),
            enclosure.leads_to(server.port, way=5),
        ):
            stranger.sendall(b"x" * len(enclosure.password))
            assert stranger.recv(1) == b""
            program = (
                "import urllib.request as r\n"
                f"ways = {enclosure.ports.out[0]}, {enclosure.ports.out[-1]}\n"
                "for n in range(40): print(len(r.urlopen('http://127.0.0.1:%d/%d' % (ways[n % 2], n)).read()))"
            )
            log = Log()
            running = start("box", f'python -c "{program}"', ENV, log, isolation=isolation, record=run.record)
            assert running.ended_within(60)
            running.stop()
    assert [entry.text for entry in log.since(0)] == ["350000"] * 40
    assert asked == [f"/{n}" for n in range(40)]


def test_no_file_of_the_machine_or_the_grader_is_in_sight(inside: Inside) -> None:
    said = inside("ls /octo /work /var/run/docker.sock /root 2>&1; env | cut -d= -f1 | sort | tr '\\n' ' '")
    assert "octo_lab" not in said
    assert said.count("No such file") == 3
    assert "DOCKER" not in said


def test_memory_has_a_bound_and_the_report_says_so(inside: Inside) -> None:
    said = inside('python -c "x = bytearray(3 * 1024**3)"; echo after $?')
    assert "after 0" not in said
    assert "It used more than 1024 MiB of memory and was stopped." in said


def test_memory_is_bounded_for_all_containers_together(docker: Client) -> None:
    with (
        run_directory() as run,
        containers.start(frozenset({"cache"}), None, run.path, record=run.record) as stores,
    ):
        assert stores.enclosure
        image = built(docker, Recipe({"requirements.txt": b""}, "dependencies"), 300, print)
        isolation = contained(
            stores.enclosure, image, run.path / "stores" / "cache" / "log", run.path / "submission"
        )
        log, line = Log(), 'python -c "x = bytes(range(256)) * (3 * 1024**2); import time; time.sleep(60)"'
        running = [start(f"half-{n}", line, ENV, log, isolation=isolation, record=run.record) for n in (1, 2)]
        with watching(stores.enclosure, running, log):
            assert all(each.ended_within(40) for each in running)
    assert log.refused() == ("It used more than 1024 MiB of memory and was stopped.",)


def test_processes_have_a_bound(inside: Inside) -> None:
    program = (
        "import subprocess; n=[subprocess.Popen(['sleep','20']) for _ in range(700)]; print('all', len(n))"
    )
    said = inside(f'python -c "{program}"')
    assert "all 700" not in said
    assert "exit code 0" not in said


def test_a_signal_reaches_the_command_and_its_children(inside: Inside, docker: Client) -> None:
    log = Log()
    with (
        run_directory() as run,
        containers.start(frozenset({"cache"}), None, run.path, record=run.record) as stores,
    ):
        assert stores.enclosure
        image = built(docker, Recipe({"requirements.txt": b""}, "dependencies"), 300, print)
        isolation = contained(
            stores.enclosure, image, run.path / "stores" / "cache" / "log", run.path / "submission"
        )
        heard = threading.Event()
        log.listener = lambda line: heard.set() if "up" in line.text else None
        line = "trap 'echo told; exit 9' TERM; echo up; while :; do sleep 0.1; done"
        running = start("box", line, ENV, log, isolation=isolation, record=run.record)
        assert heard.wait(30)
        assert running.stop(grace=20) == 9
    assert "told" in [entry.text for entry in log.since(0)]


def test_nothing_new_is_installed_where_that_is_forbidden(docker: Client, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("click==8.0.0\n")
    with pytest.raises(InstallFailed, match="--no-install forbids") as caught:
        dependencies(tmp_path, 60, print, install=False)
    assert caught.value.machine


def test_a_batch_and_its_replay_run_there_too(
    docker: Client, door: Door, submission: Path, tmp_path: Path
) -> None:
    images = {variable: image(name) for name, (variable, _) in IMAGES.items()}
    there = replace(door, env={**door.env, **images, "OCTO_LAB_ON": "docker"})
    graded = there("grade-batch", "lesson-01", str(submission), "--out", str(tmp_path / "out"), "--untrusted")
    assert graded.returncode == 0, graded.stdout + graded.stderr
    [report] = (tmp_path / "out" / "reports").glob("*.json")
    told = loads(report.read_text())
    assert (told.verdict, told.isolation.partition(":")[0]) == ("pass", "docker")
    assert there("verify", str(report), "--replay", str(submission)).returncode == 0


def test_a_grade_is_the_same_and_says_where_it_ran(docker: Client, lab: Lab, submission: Path) -> None:
    report = grade(Request(lab, from_folder(submission), untrusted=True, on="docker"))
    assert report.verdict == "pass", report
    assert report.isolation.startswith("docker: ")


def test_the_kill_matrix_is_the_same_cell_by_cell(docker: Client, lab: Lab) -> None:
    beside, contained = (prove(lab, repeat=1, jobs=2, on=ground).matrix for ground in ("embedded", "docker"))
    assert [row.verdicts for row in contained.rows] == [row.verdicts for row in beside.rows]
    assert all(row.verdicts for row in contained.rows)
