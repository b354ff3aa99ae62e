"""What a server said before it failed, and what to do about it."""

import json
from collections.abc import Iterable
from pathlib import Path

from compose.disk import REMEDY as FULL_DISK

LINES = 15

REMEDIES = {
    "No space left on device": FULL_DISK,
    "Permission denied": "Let octo_lab keep its data where it wants to (unset OCTO_LAB_CACHE), "
    "or choose a directory that every user can pass through.",
    "Cannot allocate memory": "Close other programs: the servers need about 300 MB of memory.",
}

NEVER_UP = (
    "Run the command again. If it happens again, `octo_lab doctor` says what is missing on this machine."
)


def last_words(logs: Iterable[Path]) -> str:
    """The last lines that were written to the files, all together."""
    return "\n".join([line for log in logs for line in _lines(log)][-LINES:])


def remedy_for(words: str) -> str:
    """What to do about a server that said `words` and did not come up."""
    return next((remedy for sign, remedy in REMEDIES.items() if sign in words), NEVER_UP)


def _lines(log: Path) -> list[str]:
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        return [_plain(line) for line in file.read().decode(errors="replace").splitlines() if line.strip()]


def _plain(line: str) -> str:
    """A line of Postgres' JSON log as text; any other line as it is."""
    if not line.startswith("{"):
        return line
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    parts = (entry.get(key) for key in ("error_severity", "message", "detail", "hint"))
    return ": ".join(str(part) for part in parts if part)
