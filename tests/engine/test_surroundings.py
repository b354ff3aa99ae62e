"""What stands around a service with jobs reaches it, obeys the checks, and can be asked by hand."""

import json
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from compose.engine import Client
from compose.stores import FixedAddresses, Ground, Stores, StoresFailed
from graders.check import Failure
from graders.engine.faults_by_hand import ProcessesByHand
from graders.engine.grade import Request, grade
from graders.engine.identity import refuse_compose
from graders.engine.submission import from_folder
from graders.engine.surroundings import surroundings_of
from labs.catalog import Lab, find
from tests.engines import docker as docker
from tests.reference_service.running import free_port

WORKER = """
import os, signal, sys, time, urllib.request
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
while True:
    body = b'{"to": "%s", "subject": "", "text": ""}' % os.environ["RETRY_BASE_MS"].encode()
    try:
        urllib.request.urlopen(urllib.request.Request(os.environ["MAIL_URL"] + "/messages", body, method="POST")).read()
    except OSError:
        pass
    time.sleep(0.05)
"""
CHECKS = '''
import signal
from graders.check import check, expect


def told(**what):
    return {"expected": "it is so", "got": str(what), "because": "a test"}


@check("answers")
def test_answers(service, upstreams, gates, queue, cache):
    """Processes are started, signalled and measured, and gates stand in the way."""
    [first] = service.processes("worker")
    expect(len(upstreams.mail.await_calls("20", 1)) >= 1, **told(calls="of the lab's own variable"))
    second = service.start("worker", {"RETRY_BASE_MS": "33"})
    expect(len(upstreams.mail.await_calls("33", 1)) >= 1, **told(calls="of its own variable"))
    expect(first.resident() > 1_000_000, **told(bytes=first.resident()))
    with gates.mail.cut() as landed:
        expect(landed.await_felt(2), **told(proof=landed.proof()))
    second.signal(signal.SIGTERM)
    code = second.ended_within(20)
    expect(code == 7, **told(code=code))
    first.kill()
    expect(service.processes("worker") == [], **told(left="none"))
    web = service.start("web")
    expect(web.url != service.web(), **told(url=web.url))
    expect(queue.keys() == cache.keys() == (), **told(keys="none"))


@check("doubles")
def test_doubles():
    """Nothing."""


@check("doubles-large")
def test_doubles_large():
    """Nothing."""
'''


@pytest.fixture
def with_jobs(kit: Path, write: Callable[[Path, str], Path]) -> Lab:
    manifest = kit / "labs/lesson-01/lab.toml"
    write(
        manifest,
        manifest.read_text().replace(
            '["cache"]', '["cache", "queue"]\nenvironment = { RETRY_BASE_MS = "20" }'
        ),
    )
    write(kit / "reference_service/worker.py", WORKER)
    procfile = kit / "reference_service/Procfile"
    write(procfile, procfile.read_text() + "worker: python worker.py\n")
    write(kit / "graders/lesson_01/test_doubles.py", CHECKS)
    return find("1", kit)


def _passes(lab: Lab, submission: Path, on: Ground) -> None:
    report = grade(Request(lab, from_folder(submission), untrusted=True, on=on))
    assert report.verdict == "pass", [(each.failure, each.note) for each in report.checks]


def test_checks_start_signal_and_measure_processes_behind_gates(with_jobs: Lab, submission: Path) -> None:
    _passes(with_jobs, submission, "embedded")


def test_so_they_do_on_docker(docker: Client, with_jobs: Lab, submission: Path) -> None:
    _passes(with_jobs, submission, "docker")


WITH_TELEMETRY = '''
from graders.check import check, expect


@check("answers")
def test_answers(service):
    """A worker is told where to tell of itself; a web that is not awaited has an address at once."""
    urls = {*(each.url for each in service.processes("worker")), service.web("billing")}
    urls.add(service.start("web", awaited=False).url)
    expect(len(urls) == 3 and all(urls), expected="three addresses", got=str(urls), because="a test")


@check("doubles")
def test_doubles():
    """Nothing."""


@check("doubles-large")
def test_doubles_large():
    """Nothing."""
'''


def test_a_worker_that_tells_of_itself_has_an_address(
    kit: Path, with_jobs: Lab, write: Callable[[Path, str], Path], submission: Path
) -> None:
    manifest = kit / "labs/lesson-01/lab.toml"
    write(manifest, manifest.read_text().replace('"20"', '"20", TELEMETRY = "on"'))
    write(kit / "graders/lesson_01/test_doubles.py", WITH_TELEMETRY)
    _passes(find("1", kit), submission, "embedded")


def test_docker_compose_says_what_it_lacks(with_jobs: Lab) -> None:
    with pytest.raises(StoresFailed, match="a mail server and a payment provider"):
        refuse_compose(with_jobs)


@pytest.fixture
def by_hand(with_jobs: Lab) -> Iterator[dict[str, str]]:
    fixed = replace(FixedAddresses(), mail=free_port(), payments=free_port(), faults=free_port())
    with ExitStack() as stack:
        around = surroundings_of(with_jobs, stack, Stores(), 0, fixed, print)
        yield {**around.urls, **around.environment}


def _asked(url: str, body: bytes | None = None) -> str:
    request = urllib.request.Request(url, body)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())


def test_by_hand_upstreams_are_scripted_and_tell_what_they_were_asked(by_hand: dict[str, str]) -> None:
    message = b'{"to": "ada@example.org", "subject": "a", "text": "b"}'
    _asked(f"{by_hand['mail']}/script/503,work", b"")
    with pytest.raises(urllib.error.HTTPError, match="503"):
        _asked(f"{by_hand['MAIL_URL']}/messages", message)
    _asked(f"{by_hand['MAIL_URL']}/messages", message)
    told = [json.loads(line) for line in _asked(f"{by_hand['mail']}/calls").splitlines()]
    assert [call["subject"] for call in told] == ["ada@example.org"] * 2
    assert 0 <= told[0]["second"] <= told[1]["second"] < 60


def test_by_hand_a_door_is_shut_and_opened(by_hand: dict[str, str]) -> None:
    _asked(f"{by_hand['faults']}/mail/refuse", b"")
    with pytest.raises(OSError, match="refused"):
        _asked(f"{by_hand['MAIL_URL']}/calls")
    _asked(f"{by_hand['faults']}/mail/heal", b"")
    assert _asked(f"{by_hand['MAIL_URL']}/calls") == "\n"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        _asked(f"{by_hand['faults']}/mail/nonsense", b"")


class Started:
    """Processes that somebody started, and what was done to them."""

    url = "http://127.0.0.1:1"

    def __init__(self) -> None:
        self.done: list[object] = []
        self.threads: list[threading.Thread] = []

    def processes(self, kind: str) -> list["Started"]:
        return [self, self]

    def start(self, kind: str, environment: object) -> "Started":
        self.threads.append(threading.current_thread())
        self.done.append((kind, environment))
        if environment:
            return self
        raise Failure(expected="A Procfile.", got="There is none.", because="")

    def kill(self) -> None:
        self.done.append("kill")

    def signal(self, number: signal.Signals) -> None:
        self.done.append(number)


def test_by_hand_processes_are_started_stopped_and_killed() -> None:
    service = Started()
    with ExitStack() as stack:
        processes = ProcessesByHand(stack)
        assert processes.told("worker", "kill", "").status == 503
        processes.service = service  # type: ignore[assignment]
        assert (
            processes.told("web", "start", "QUEUE_LIMIT=3").body
            == b"One more web, beside 2. http://127.0.0.1:1\n"
        )
        assert processes.told("worker", "start", "").status == 409
        processes.told("worker", "kill", "")
        processes.told("worker", "stop", "")
        # A box ends with the thread that started it.
        assert service.threads[0] is service.threads[1]
        assert service.threads[0].is_alive()
    assert service.done == [
        ("web", {"QUEUE_LIMIT": "3"}),
        ("worker", {}),
        *["kill"] * 2,
        *[signal.SIGTERM] * 2,
    ]
