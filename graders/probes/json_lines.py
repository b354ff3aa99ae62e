"""What a service prints, as the JSON objects that CONTRACT.md promises; what is none is left out."""

import json
from collections.abc import Iterable, Iterator
from typing import Any


def objects(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Each line that is a JSON object, as one."""
    for line in lines:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            yield found
