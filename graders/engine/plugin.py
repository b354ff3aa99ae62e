"""Turns a pytest run over one lesson's checks into Outcomes. Deny by default: no evidence, no pass."""

import os
import random
import re
import signal
import stat
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO, TypeVar

import pytest

from compose.stores import Stores
from graders.check import MARK, CannotJudge, CheckMark, Failure, Verdict
from graders.engine.channel import Channel
from graders.engine.checks import title
from graders.engine.processes import Log, LogLine, PrintedLines
from graders.engine.service import SubmittedService
from graders.engine.surroundings import Surroundings
from graders.probes.api import Api
from graders.probes.faults import Gates
from graders.probes.identity import IdentityProvider
from graders.probes.postgres import Postgres
from graders.probes.redis_store import RedisStore
from graders.probes.service import Operated, Printed
from graders.probes.transcript import Transcript
from graders.probes.upstreams import Upstreams
from graders.reports.model import FailureText, Outcome
from labs.catalog import CheckSpec, Lab

Thing = TypeVar("Thing")

LOG_LINES = 6
# In a log line: a time, an id that was drawn, a duration.
VARIES = re.compile(
    r"\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-][\d:]+)?|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}|\d+\.\d+"
)
DOCUMENT_CAP = 256 * 1024


class CheckTookTooLong(Exception):
    """A check used up its budget."""


@dataclass
class Grading:
    """The plugin of one grade: gives checks their fixtures, runs them in lesson order, keeps their outcomes."""

    lab: Lab
    service: SubmittedService
    connect: Callable[[str], Postgres]
    tree: Path
    log: Log
    seed: int
    channel: Channel
    steps: Transcript
    only: tuple[str, ...] = ()
    provider: IdentityProvider | None = None
    around: Surroundings = field(default_factory=lambda: Surroundings(Stores()))
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    _ends: float = field(init=False)
    _started: float = 0.0
    _allowed: float = 0.0
    _mark: int = 0

    def __post_init__(self) -> None:
        self._ends = time.monotonic() + self.lab.budgets.whole

    # --- what checks are given -------------------------------------------------------------------------

    @pytest.fixture(scope="session", name="service")
    def _service(self) -> Operated:
        return self.service

    @pytest.fixture(scope="session", name="steps")
    def _steps(self) -> Transcript:
        return self.steps

    @pytest.fixture(scope="session", name="connect")
    def _connect(self) -> Callable[[str], Postgres]:
        return self.connect

    @pytest.fixture(scope="session", name="client")
    def _client(self) -> Callable[[str], Api]:
        return lambda base_url: Api(base_url, self.steps)

    @pytest.fixture(scope="session", name="api")
    def _api(self) -> Api:
        return Api(self.service.web(), self.steps)

    @pytest.fixture(scope="session", name="postgres")
    def _postgres(self) -> Postgres:
        return self.connect("billing")

    @pytest.fixture(scope="session", name="identity_provider")
    def _identity_provider(self) -> IdentityProvider:
        return _there(self.provider)

    @pytest.fixture(scope="session", name="gates")
    def _gates(self) -> Gates:
        return _there(self.around.gates)

    @pytest.fixture(scope="session", name="upstreams")
    def _upstreams(self) -> Upstreams:
        return _there(self.around.upstreams)

    @pytest.fixture(scope="session", name="cache")
    def _cache(self) -> RedisStore:
        return RedisStore(_there(self.service.stores.cache))

    @pytest.fixture(scope="session", name="queue")
    def _queue(self) -> RedisStore:
        return RedisStore(_there(self.service.stores.queue))

    @pytest.fixture(scope="session", name="printed")
    def _printed(self) -> Printed:
        return PrintedLines(self.log)

    @pytest.fixture(scope="session", name="document")
    def _document(self) -> Callable[[str], str | None]:
        return lambda path: read_document(self.tree, path)

    @pytest.fixture(name="rng")
    def _rng(self, request: pytest.FixtureRequest) -> random.Random:
        return random.Random(f"{self.seed}:{mark_of(request.node).id}")  # noqa: S311 - replayable, not secret

    # --- the run ---------------------------------------------------------------------------------------

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep exactly the lesson's checks, in lesson order, and those that a selected one needs."""
        by_id = {mark_of(item).id: item for item in items}
        wanted = self._with_needs(by_id) if self.only else set(by_id)
        items[:] = [by_id[spec.id] for spec in self.lab.checks if spec.id in wanted and spec.id in by_id]

    def _with_needs(self, by_id: dict[str, pytest.Item]) -> set[str]:
        wanted: set[str] = set()
        waiting = [id for id in self.only if id in by_id]
        while waiting:
            id = waiting.pop()
            wanted.add(id)
            waiting += [need for need in mark_of(by_id[id]).needs if need in by_id and need not in wanted]
        return wanted

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        spec = self._spec(item)
        self.steps.clear()
        self._mark = self.log.mark()
        self._started = time.monotonic()
        self.channel.check_started(spec.id, title_of(item))
        self._allowed = min(self.lab.budgets.check, max(self._ends - self._started, 0.1))
        with deadline(self._allowed):
            answer = yield
        self.channel.check_ended(self.outcomes.setdefault(spec.id, self._no_evidence(item)))
        return answer

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if time.monotonic() > self._ends:
            raise Failure(
                did=f"octo_lab grade {self.lab.id}",
                expected=f"All checks are done within {self.lab.budgets.whole:.0f} s, even on a slow machine.",
                got="The checks before this one had used up the time: it did not run.",
                because="A service that keeps every caller waiting is down, whatever it answers in the end.",
            )
        for need in mark_of(item).needs:
            needed = self.outcomes.get(need)
            if needed is None or needed.verdict != "pass":
                pytest.skip(f"needs {need}, which did not pass")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        error = call.excinfo.value if call.excinfo else None
        id = mark_of(item).id
        if error is not None:
            # A teardown that fails takes back a pass: what it was to prove is in doubt.
            if id not in self.outcomes or self.outcomes[id].verdict == "pass":
                self.outcomes[id] = self._judge(item, error)
        elif call.when == "call":
            self.outcomes[id] = self._outcome(item, "pass")
        return report

    # --- outcomes --------------------------------------------------------------------------------------

    def _judge(self, item: pytest.Item, error: BaseException) -> Outcome:
        match error:
            case Failure():
                return replace(self._outcome(item, "fail"), failure=self._text(item, error))
            case CheckTookTooLong():
                return replace(self._outcome(item, "fail"), failure=self._text(item, self._late()))
            case pytest.skip.Exception():
                return self._outcome(item, "skipped", str(error.msg))
            case CannotJudge():
                return self._outcome(item, "ungraded", f"{error.problem} {error.remedy}")
            case _:
                place = f" ({type(error).__name__}: {error})"
                return self._outcome(
                    item, "ungraded", f"The check itself failed; tell the lesson's author.{place}"
                )

    def _late(self) -> Failure:
        return Failure(
            expected=f"The check is done well within {self._allowed:.0f} s, even on a slow machine.",
            got="It was stopped. The step above was under way.",
            because="Users and callers give up long before that.",
        )

    def _no_evidence(self, item: pytest.Item) -> Outcome:
        return self._outcome(item, "ungraded", "The check did not report.")

    def _outcome(self, item: pytest.Item, verdict: Verdict, note: str = "") -> Outcome:
        spec = self._spec(item)
        return Outcome(
            id=spec.id,
            title=title_of(item),
            criterion=self.lab.criterion_text(spec.criterion),
            points=spec.points,
            verdict=verdict,
            seconds=round(time.monotonic() - self._started, 3),
            note=note,
        )

    def _text(self, item: pytest.Item, failure: Failure) -> FailureText:
        log = self.log.since(self._mark)
        if failure.during:
            first, last = failure.during
            log = [line for line in self.log.since(0, "worker") if first <= line.second <= last]
        return failure_text(failure, self._spec(item), log, self.steps.last())

    def _spec(self, item: pytest.Item) -> CheckSpec:
        spec = self.lab.check(mark_of(item).id)
        assert spec is not None, "pytest_collection_modifyitems kept only checks of the lab"
        return spec


def failure_text(failure: Failure, spec: CheckSpec, log: list[LogLine], step: str) -> FailureText:
    """The six parts: three that the check said, and what was done, the log of that moment, where to read."""
    return FailureText(
        did=failure.did or step,
        expected=failure.expected,
        got=failure.got,
        because=failure.because,
        log=tuple(f"{line.source}: {line.text}" for line in _last_of_each(log)[-LOG_LINES:]),
        read=spec.read,
    )


def _last_of_each(log: Sequence[LogLine]) -> list[LogLine]:
    """Who is asked again and again writes lines that differ in time and ids alone: of these the last one is left."""
    found: dict[object, LogLine] = {}
    for number, line in enumerate(log):
        text, varying = VARIES.subn("", line.text)
        key = (line.source, text) if varying else number
        found.pop(key, None)
        found[key] = line
    return list(found.values())


def _there(thing: Thing | None) -> Thing:
    """What only some lessons have. Raises CannotJudge in the others."""
    if thing is None:
        raise CannotJudge("This lesson's lab.toml asks for nothing of the kind.", "Tell the lesson's author.")
    return thing


def mark_of(item: Any) -> CheckMark:
    """The @check mark of a test item. A test without one is an error in the grader."""
    mark = getattr(getattr(item, "function", None), MARK, None)
    if not isinstance(mark, CheckMark):
        raise pytest.UsageError(f"{item.nodeid} has no @check")
    return mark


def title_of(item: pytest.Item) -> str:
    return title(getattr(item, "function").__doc__)  # noqa: B009 - pytest.Item does not declare it


def read_document(tree: Path, path: str) -> str | None:
    """A written artefact of the submission as text, or None where it is missing, too large, or not UTF-8."""
    try:
        with open_inside(tree, path) as file:
            data = file.read(DOCUMENT_CAP + 1)
        return data.decode("utf-8") if len(data) <= DOCUMENT_CAP else None
    except (OSError, UnicodeDecodeError):
        return None


def open_inside(tree: Path, path: str) -> BinaryIO:
    """A regular file of the tree. It belongs to the submission, which runs: no link of its leads us out of it."""
    with ExitStack() as opened:
        place = os.open(tree, os.O_RDONLY)
        opened.callback(os.close, place)
        for part in Path(path).parts:
            place = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
            opened.callback(os.close, place)
        if not stat.S_ISREG(os.fstat(place).st_mode):
            raise FileNotFoundError(path)
        return os.fdopen(os.dup(place), "rb")


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise CheckTookTooLong in the main thread after `seconds`."""

    def late(_signal: int, _frame: FrameType | None) -> None:
        raise CheckTookTooLong

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
