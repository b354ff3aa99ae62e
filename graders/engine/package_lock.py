"""What a submission's package.json and package-lock.json may ask for: releases from the registry, by name.

npm would do more, and with the grader's network: fetch any address, clone with git, link a folder of the machine.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MOST_BYTES = 8 * 1024 * 1024
RANGE = re.compile(r"(npm:(@[\w.-]+/)?[\w.-]+@?)?[\w\s.^~<>=|*+-]*")
GROUPS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "overrides")


class NotLocked(Exception):
    """The two files name more than releases; the text says what."""


def expect_locked(manifest: Path, lock: Path) -> None:
    """Every package is a release with a known content, and needs nothing but releases. Raises NotLocked.

    Links, paths and git addresses have no `integrity` in a lock.
    """
    entries = _read(lock, "packages")
    loose = [name for name, entry in entries.items() if name and not _is_release(entry)]
    needs = (need for each in (_read(manifest), *entries.values()) for need in _needs(each))
    if found := loose + [need for need in needs if not RANGE.fullmatch(need)]:
        raise NotLocked(f"package-lock.json names what is no release of a package: {', '.join(found[:5])}")


def _read(file: Path, *path: str) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            text = opened.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise NotLocked(f"{file.name} is larger than {MOST_BYTES // 2**20} MiB")
        found = json.loads(text)
        for name in path:
            found = found[name]
        if all(isinstance(each, dict) for each in (found, *(found.values() if path else ()))):
            return dict(found)
        raise TypeError("an object is wanted")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NotLocked(f"{file.name} cannot be used: {error!r}") from error


def _is_release(entry: dict[str, Any]) -> bool:
    address = str(entry.get("resolved", "https://"))
    return bool(entry.get("integrity")) and not entry.get("link") and address.startswith("https://")


def _needs(entry: dict[str, Any]) -> Iterator[str]:
    """What one package wants of others, as written: `^1.2.0`, or an address."""
    if entry.get("workspaces"):
        yield "workspaces:"
    for group in GROUPS:
        yield from _texts(entry.get(group))


def _texts(value: Any) -> Iterator[str]:
    """`overrides` holds objects in objects; npm takes anything else for no need at all."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, str) and not value.startswith("$"):
        yield value
