"""JSON as RFC 8259 has it and no looser: what Python's reader lets through would break other clients."""

import json
from collections import Counter
from typing import Any, NoReturn


class NotStrict(ValueError):
    """Why a body is not JSON, in words for the person who sent it."""


def parse(body: bytes) -> Any:
    """The value in `body`. Raises NotStrict: bad UTF-8, NaN and Infinity, a name twice, bottomless nesting."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_constant, object_pairs_hook=_object)
    except NotStrict:
        raise
    except UnicodeDecodeError:
        raise NotStrict("the body is not UTF-8") from None
    except RecursionError:
        raise NotStrict("the body is nested too deeply") from None
    except ValueError as error:
        raise NotStrict(f"the body is not JSON: {error}") from None


def _constant(name: str) -> NoReturn:
    raise NotStrict(f"{name} is JavaScript, not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise NotStrict(f"the name {twice!r} stands twice in one object")
    return fields
