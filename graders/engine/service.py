"""The submission at work: its release and web processes on the databases of one grade."""

import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from compose import roles
from compose.stores import DATABASE, Login, Stores
from graders.check import Failure
from graders.engine import processes
from graders.engine.processes import Log, Running
from graders.engine.sandbox import Isolation
from graders.probes.api import Api
from graders.probes.service import Process as Web
from graders.probes.transcript import Transcript
from labs.catalog import Budgets

SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")
GRACE = 10.0


@dataclass
class SubmittedService:
    """Starts the submission's processes and ends them. Implements `graders.probes.service.Operated`.

    told: the stores where the service is to find them, which may be behind gates. environment: what else it is told.
    by_hand: the schema's owner can log in to the end, for the person who tries things out.
    """

    lesson: str
    commands: Mapping[str, str]
    stores: Stores
    path: tuple[Path, ...]
    isolation: Isolation
    budgets: Budgets
    log: Log
    record: Callable[[int], None]
    ports: Iterator[int]
    told: Stores
    environment: Mapping[str, str] = field(default_factory=dict)
    by_hand: bool = False
    _releases: int = 0
    _webs: dict[tuple[str, int], "Process"] = field(default_factory=dict)
    _started: list["Process"] = field(default_factory=list)
    _marks: dict[str, int] = field(default_factory=dict)  # of the log, when who has the URL was started
    running: list[Running] = field(default_factory=list)

    def release(self, database: str = DATABASE) -> "Release":
        """Start the `release` process on `database`, as the schema's owner, who can log in until it has ended."""
        command = self.commands.get("release", "true")
        mark = self.log.mark()
        self._lend_owner()
        running = self._start("release", command, self._env(database, self._postgres_login("owner")))
        return Release(self.lesson, running, self.log, mark, self.budgets.release, self._take_owner_back)

    def _lend_owner(self) -> None:
        self._releases += 1
        if self.stores.postgres:
            roles.lend_owner(self.stores.postgres)

    def _take_owner_back(self) -> None:
        self._releases -= 1
        if self.stores.postgres and not self._releases and not self.by_hand:
            roles.take_owner_back(self.stores.postgres)

    def web(self, database: str = DATABASE, instance: int = 1) -> str:
        """The base URL of a `web` process on `database`, started and ready. Raises Failure."""
        if (database, instance) not in self._webs:
            self._webs[database, instance] = self.start("web", database=database)
        return self._webs[database, instance].url

    def start(
        self,
        kind: str,
        environment: Mapping[str, str] | None = None,
        database: str = DATABASE,
        *,
        awaited: bool = True,
    ) -> "Process":
        """One more process of the type, a `web` ready to serve unless it is not `awaited`. Raises Failure."""
        if kind not in self.commands:
            raise Failure(
                did="cat Procfile",
                expected=f"The Procfile has a line `{kind}: COMMAND`.",
                got=f"It names {', '.join(self.commands)}.",
                because="What the Procfile does not name, nobody starts.",
            )
        more = dict(environment or {})
        if self._listens(kind, more):
            more["PORT"] = str(next(self.ports))
        env = self._env(database, self._postgres_login("app")) | more
        mark = self.log.mark()
        running = self._start(kind, self.commands[kind], env)
        url = f"http://127.0.0.1:{more['PORT']}" if "PORT" in more else ""
        process = Process(kind, url, running)
        self._started.append(process)
        self._marks[url] = mark
        if kind == "web" and awaited:
            self.await_ready(process)
        return process

    def _listens(self, kind: str, more: Mapping[str, str]) -> bool:
        """Whether it is given a port: `web`, and whoever tells of itself (CONTRACT.md, Telemetry)."""
        return kind == "web" or {**self.environment, **more}.get("TELEMETRY") == "on"

    def processes(self, kind: str) -> list["Process"]:
        """Those of the type that run now."""
        return [each for each in self._started if each.kind == kind and each.ended_within(0) is None]

    def boot(self) -> None:
        """Start `web`, and `worker` where the Procfile has one, and wait until the service is ready. Raises Failure."""
        # First, since the first port is the one that is promised to who tries things by hand.
        web = self._webs[DATABASE, 1] = self.start("web", awaited=False)
        worker = self.start("worker") if "worker" in self.commands else None
        self.await_ready(web)
        code = worker.ended_within(0) if worker else None
        if code is not None:
            raise Failure(
                did=f"octo_lab run {self.lesson}",
                expected="The `worker` process runs until it is asked to stop.",
                got=_with_tail(f"It ended with code {code}.", self.log, self._marks[web.url], "worker"),
                because="Jobs that nobody does pile up, and nobody notices until a customer asks.",
            )

    def await_end(self, database: str = DATABASE) -> int:
        """Wait for the `web` process to end by itself; its exit code."""
        return self._webs[database, 1].running.await_end()

    def stop(self) -> None:
        """End every process at once: its stores are thrown away, so there is nothing to save."""
        for running in self.running:
            running.stop()

    def await_ready(self, web: Web) -> None:
        """Wait for the first 200 of /readyz. Raises Failure when the process ends or the budget is used up."""
        deadline = time.monotonic() + self.budgets.boot
        last = "nothing answered on PORT"
        pause = 0.02
        while time.monotonic() < deadline:
            # Asked ever less often: a service that logs each question keeps its log for what went wrong.
            pause = min(pause * 1.3, 0.25)
            code = web.ended_within(pause)
            if code is not None:
                web.kill()
                raise self._not_ready(f"`web` ended with code {code} before it was ready.", web)
            ready, last = _readiness(web.url)
            if ready:
                return
        raise self._not_ready(f"`web` was not ready after {self.budgets.boot:.0f} s: {last}.", web)

    def _not_ready(self, got: str, web: Web) -> Failure:
        return Failure(
            did=f"octo_lab run {self.lesson}   # then: curl -i http://127.0.0.1:8080/readyz",
            expected="The `web` process listens on PORT and answers GET /readyz with 200 once it can serve.",
            got=_with_tail(got, self.log, self._marks[web.url], "web"),
            because="Traffic is sent to an instance only when it says that it is ready. One that never does is an outage.",
        )

    def _start(self, name: str, command: str, env: Mapping[str, str]) -> Running:
        running = processes.start(name, command, env, self.log, isolation=self.isolation, record=self.record)
        self.running.append(running)
        return running

    def _postgres_login(self, role: str) -> Login | None:
        return getattr(self.stores.postgres, role) if self.stores.postgres else None

    def _env(self, database: str, login: Login | None) -> dict[str, str]:
        stores = self.told
        env = {
            "PATH": ":".join([*map(str, self.path), *SYSTEM_PATH]),
            "HOME": str(self.isolation.scratch),
            "TMPDIR": str(self.isolation.scratch),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "HOST": "127.0.0.1",
            "LOG_LEVEL": "info",
            "SHUTDOWN_GRACE_SECONDS": f"{GRACE:.0f}",
            **self.environment,
        }
        if stores.postgres and login:
            env["DATABASE_URL"] = stores.postgres.url(login, database)
        if stores.cache:
            env["CACHE_URL"] = stores.cache.url()
        if stores.queue:
            env["QUEUE_URL"] = stores.queue.url()
        return env


@dataclass(frozen=True)
class Process:
    """One process type at work; `url` where it answers HTTP. Implements `graders.probes.service.Process`."""

    kind: str
    url: str
    running: Running

    def signal(self, number: signal.Signals) -> None:
        self.running.signal(number)

    def kill(self) -> None:
        self.running.stop()

    def ended_within(self, seconds: float) -> int | None:
        return self.running.await_end() if self.running.ended_within(seconds) else None

    def resident(self) -> int:
        return self.running.resident()


@dataclass
class Release:
    """A `release` process under way. Implements `graders.probes.service.ReleaseRun`."""

    lesson: str
    running: Running
    log: Log
    mark: int
    budget: float
    ended: Callable[[], None]

    def poll(self) -> int | None:
        return self.running.popen.poll()

    def output(self) -> str:
        return "\n".join(line.text for line in self.log.since(self.mark, "release"))

    def wait(self, seconds: float) -> int:
        in_time = self.running.ended_within(seconds)
        code = self.running.stop()
        self.ended()
        if not in_time:
            raise Failure(
                did=f"octo_lab run {self.lesson}",
                expected=f"`release` from the Procfile ends within {seconds:.0f} s.",
                got=f"It was still running after {seconds:.0f} s and was stopped.",
                because="A deployment waits for its release step; one that hangs blocks every later deployment.",
            )
        return code

    def succeed(self) -> None:
        """Wait for exit code 0 within the budget. Raises Failure."""
        code = self.wait(self.budget)
        if code:
            raise Failure(
                did=f"octo_lab run {self.lesson}",
                expected="`release` from the Procfile exits with code 0.",
                got=_with_tail(f"It exited with code {code}.", self.log, self.mark, "release"),
                because="A release that fails stops the deployment: the new code never starts.",
            )


def _with_tail(text: str, log: Log, mark: int, source: str) -> str:
    tail = [line.text for line in log.since(mark, source)][-8:]
    return "\n".join([text, *(["Its last words:"] if tail else []), *(f"  {line}" for line in tail)])


def _readiness(url: str) -> tuple[bool, str]:
    """Whether /readyz answers 200, and what came instead."""
    try:
        status = Api(url, Transcript()).get("/readyz", seconds=2.0).status
    except Failure as failure:
        return False, "nothing answered on PORT" if "refused" in failure.got else failure.got
    return status == 200, f"its last answer had status {status}"


def programs() -> tuple[Path, ...]:
    """Folders of language runtimes that a Procfile may call beside the system's own."""
    found = (shutil.which(name) for name in ("node",))
    return tuple(sorted({Path(each).parent for each in found if each}))
