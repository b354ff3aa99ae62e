"""What a submission's requirements.txt may ask for: releases from the registry, by name.

pip would do more: run a `setup.py` of the submission's as whoever grades, read files elsewhere, ask another index.
And the cache knows an environment by this one file, which must therefore say everything.
"""

import re
from collections.abc import Iterator

HASH = re.compile(r"\s--hash=\w+:[0-9a-fA-F]+")
RELEASE = re.compile(r"[A-Za-z0-9][\w\s.,*+!<>=~()\[\]-]*(?:;[^/@$\\]*)?")
OPTION = re.compile(r"\s-")


class NotARelease(Exception):
    """A line that pip would take for something else; the text shows it."""


def releases(listed: bytes) -> list[str]:
    """The lines for pip, without comments: one of them could name an encoding that pip then reads the file in.

    Raises NotARelease.
    """
    lines = [*_lines(listed.decode("utf-8", "replace"))]
    for line in lines:
        named = HASH.sub("", line)
        if not RELEASE.fullmatch(named) or OPTION.search(named):
            raise NotARelease(repr(line[:80]))
    return lines


def _lines(text: str) -> Iterator[str]:
    """Whole lines, as pip puts them together: a backslash at the end continues one."""
    for line in text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines():
        if plain := re.sub(r"(^|\s)#.*", "", line).strip():
            yield plain
