"""Results that take long to work out and are always the same, kept in the user's cache from one grade to the next."""

import hashlib
import json
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from compose.places import cache_root

MOST = 64  # of a kind; the ones that were not asked for longest go


def kept(kind: str, inputs: list[str], work: Callable[[], Any]) -> Any:
    """What `work` gave for these inputs before, or gives now: something that JSON can say.

    What it raises is not kept. A cache that cannot be read or written costs time, and nothing else.
    """
    file = cache_root() / kind / f"{hashlib.sha256(json.dumps(inputs).encode()).hexdigest()}.json"
    with suppress(OSError, ValueError):
        found = json.loads(file.read_text("utf-8"))
        os.utime(file)
        return found
    made = work()
    with suppress(OSError):
        _keep(file, json.dumps(made))
    return made


def _keep(file: Path, text: str) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    half = file.with_suffix(f".{secrets.token_hex(4)}")
    half.write_text(text, "utf-8")
    half.replace(file)
    for old in sorted(file.parent.iterdir(), key=lambda path: path.stat().st_mtime)[:-MOST]:
        old.unlink(missing_ok=True)
