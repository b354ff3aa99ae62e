"""What is secret or personal is taken out of every line before it is written, whoever put it there."""

import re
from collections.abc import Mapping

HIDDEN = "[hidden]"
PATTERNS = (
    # What Postgres adds to a message: the row, the statement. A value in it may have lines of its own, so all is cut to
    # the message's end; in a stack, that is where the next failure of the chain begins.
    (re.compile(r"(?s)\n(DETAIL|HINT|QUERY|CONTEXT):.*?(?=\n\n(?:The above|During) |\Z)"), ""),
    # What messages themselves repeat: the value.
    (re.compile(r"(?s)\b(invalid (?:input|literal) [^:\n]+: )([\"']).*?\2(?=\n|\Z)"), rf"\1{HIDDEN}"),
    (re.compile(r'(?s)\bvalue ".*?" is out of range'), f"value {HIDDEN} is out of range"),
    (re.compile(r"input_value=.*?(?=, input_type|\n|$)"), f"input_value={HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic|digest|apikey)\s+[^\s\"',]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?i)\b(password|passwd|secret|token|api_key)(\s*[=:]\s*)[^\s\"',&]+"), rf"\1\2{HIDDEN}"),
    (re.compile(r"://[^\s/@]*@"), f"://{HIDDEN}@"),
    # Whatever looks like an address of a person's, as it stands or quoted for a URL.
    (re.compile(r"[^\s@\"'=<>(),;:/]+(?:@|%40)(?!\[)[^\s@\"'=<>(),;:/]+"), HIDDEN),
)


def clean(value: object) -> object:
    """The value, or what may be told of it; in mappings and lists, too."""
    if isinstance(value, str):
        for pattern, instead in PATTERNS:
            value = pattern.sub(instead, value)
        return value
    if isinstance(value, Mapping):
        return {str(clean(str(name))): clean(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [clean(one) for one in value]
    return value if isinstance(value, int | float | None) else clean(str(value))
