"""The file of the server's log, read up to a place that is known to hold all that happened before."""

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from graders.check import CannotJudge

WITHIN = 30.0
CHUNK = 1024 * 1024


def position(log: Path, write: Callable[[str], object]) -> int:
    """Where the log ends, with everything in it that happened before this call. `write` puts a text into it."""
    marker = f"octo {uuid.uuid4().hex}"
    with log.open("rb") as lines:
        lines.seek(0, os.SEEK_END)
        write(marker)
        deadline, line = time.monotonic() + WITHIN, b""
        while time.monotonic() < deadline:
            line += lines.readline(CHUNK)
            if line.endswith(b"\n") and marker.encode() in line:
                return lines.tell()
            if line.endswith(b"\n") or len(line) > CHUNK:
                line = b""
            else:
                time.sleep(0.001)
    raise CannotJudge("The server's log stays behind.", "Grade again; if it stays so, run `octo_lab doctor`.")


def between(log: Path, start: int, end: int) -> list[bytes]:
    """The lines between two positions."""
    with log.open("rb") as lines:
        lines.seek(start)
        return lines.read(end - start).splitlines()
