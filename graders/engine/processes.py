"""The submission's processes: read its Procfile, start a process type in a group of its own, keep its log, end it."""

import os
import re
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from graders.engine.limits import LIMITS, MIB
from graders.engine.sandbox import Isolation

PROCFILE_CAP = 64 * 1024
KEPT_LINES = 5_000
LINE_CAP = 8_192
MOST_REFUSALS = 20
# A signal goes to the whole group. The shell stays until the command has ended, and tells its exit code.
WAITS = "trap : TERM INT; "
LINE = re.compile(r"^([a-z][a-z0-9_-]*):\s*(.+)$")


class NoProcfile(Exception):
    """The tree has no usable Procfile; the text says what is wrong."""


def read_procfile(tree: Path) -> dict[str, str]:
    """Commands by process type. Raises NoProcfile."""
    text = _procfile_text(tree / "Procfile")
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = LINE.match(line.strip())
        if not match:
            raise NoProcfile(f"Procfile line {number} is not `type: command`: {line[:80]!r}")
        if match[1] in found:
            raise NoProcfile(f"Procfile line {number} names `{match[1]}` a second time")
        found[match[1]] = match[2]
    if "web" not in found:
        raise NoProcfile("Procfile names no `web` process")
    return found


def _procfile_text(path: Path) -> str:
    """What it says; no more of it and nothing in it than a shell can be given."""
    try:
        with path.open("rb") as file:
            data = file.read(PROCFILE_CAP + 1)
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise NoProcfile(f"Procfile cannot be read: {error}") from error
    if len(data) > PROCFILE_CAP or "\0" in text:
        raise NoProcfile(f"Procfile is larger than {PROCFILE_CAP // 1024} KiB or holds a zero byte")
    return text


@dataclass(frozen=True)
class LogLine:
    """One line that a process printed; `second` on the monotonic clock of the kit."""

    second: float
    source: str
    text: str


class Log:
    """What the submission's processes have printed: the last lines, each capped, with where they came from."""

    listener: Callable[[LogLine], None] | None = None

    def __init__(self) -> None:
        self._lines: deque[tuple[int, LogLine]] = deque(maxlen=KEPT_LINES)
        self._count = 0
        self._lock = threading.Lock()
        self._refused: list[str] = []

    def add(self, source: str, text: str) -> None:
        line = LogLine(time.monotonic(), source, text)
        with self._lock:
            self._count += 1
            self._lines.append((self._count, line))
        if self.listener:
            self.listener(line)

    def refuse(self, what: str) -> None:
        """Note, here and for the report, what the submission was kept from."""
        with self._lock:
            if what in self._refused or len(self._refused) == MOST_REFUSALS:
                return
            self._refused.append(what)
        self.add("octo_lab", what)

    def refused(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._refused)

    def mark(self) -> int:
        """The number of lines so far, for `since`."""
        with self._lock:
            return self._count

    def since(self, mark: int, source: str | None = None) -> list[LogLine]:
        """The kept lines after `mark`, oldest first."""
        with self._lock:
            return [line for number, line in self._lines if number > mark and source in (None, line.source)]


@dataclass(frozen=True)
class PrintedLines:
    """What the submission prints, for checks. Implements `graders.probes.service.Printed`."""

    log: Log

    def mark(self) -> int:
        return self.log.mark()

    def since(self, mark: int) -> list[str]:
        return [line.text for line in self.log.since(mark) if line.source != "octo_lab"]


@dataclass
class Running:
    """A started process type. Its output goes to the log until it closes."""

    name: str
    popen: "subprocess.Popen[bytes]"
    isolation: Isolation = field(repr=False)
    reader: threading.Thread = field(repr=False)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the command's process group, as whoever runs it in production would."""
        self.isolation.signal(self.popen, number)

    def resident(self) -> int:
        """Bytes of physical memory that it and all it started hold. Raises CannotJudge when it is gone."""
        return self.isolation.resident(self.popen)

    def kill(self) -> None:
        """End it with all that shares its box, at once."""
        self.isolation.end(self.popen)

    def stop(self, grace: float = 0.0) -> int:
        """End it with all it started: SIGTERM and `grace` seconds first where asked, then SIGKILL. Its exit code."""
        if grace and self.popen.poll() is None:
            self.signal(signal.SIGTERM)
            self.ended_within(grace)
        self.kill()
        code = self.await_end()
        # A survivor that left the group could hold the pipe open for ever: the sweep of descendants ends it.
        self.reader.join(timeout=1.0)
        return code

    def await_end(self) -> int:
        """The exit code, as a shell would tell it: 128 and the number for a signal (POSIX, 2.8.2)."""
        code = self.popen.wait()
        return code if code >= 0 else 128 - code

    def ended_within(self, seconds: float) -> bool:
        """Wait at most `seconds` for the process to end by itself."""
        try:
            self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


def start(
    name: str,
    command: str,
    env: Mapping[str, str],
    log: Log,
    *,
    isolation: Isolation,
    record: Callable[[int], None],
) -> Running:
    """Start one Procfile command in its tree, in a session of its own, output to `log`."""
    popen = isolation.start(
        ["/bin/sh", "-c", WAITS + command],
        env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    record(popen.pid)
    reader = threading.Thread(
        target=_read, args=(popen, name, log, isolation), daemon=True, name=f"log of {name}"
    )
    reader.start()
    return Running(name, popen, isolation, reader)


def _read(popen: "subprocess.Popen[bytes]", name: str, log: Log, isolation: Isolation) -> None:
    """Copy lines to the log; what is past the cap of a line is dropped. Whoever writes past the cap of all is ended."""
    assert popen.stdout is not None, "started with a pipe"
    rest, size = b"", 0
    while chunk := os.read(popen.stdout.fileno(), 65_536):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            log.add(name, _text(line))
        rest = rest[: LINE_CAP + 1]
        size += len(chunk)
        if size > LIMITS.output:
            log.refuse(f"`{name}` wrote more than {LIMITS.output // MIB} MiB of log and was stopped.")
            threading.Thread(target=isolation.end, args=(popen,), daemon=True).start()
            _drain(popen.stdout.fileno())  # who cannot be rid of its output may not end
            break
    if rest:
        log.add(name, _text(rest))
    popen.stdout.close()


def _drain(descriptor: int) -> None:
    while os.read(descriptor, 65_536):
        pass


def _text(line: bytes) -> str:
    text = line[:LINE_CAP].decode("utf-8", "replace").rstrip("\r")
    return text + " …" if len(line) > LINE_CAP else text
