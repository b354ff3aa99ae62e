"""W3C Trace Context, as far as CONTRACT.md promises it: headers that are valid, and headers that are not."""

import random
import re

VALID = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
SPAN = "00f067aa0ba902b7"
NOTHING = "0"


def new_trace(draw: random.Random, version: str = "00") -> tuple[str, str]:
    """A valid traceparent, and its trace id. It always has a letter, so that capitals make it another."""
    trace = f"a{draw.getrandbits(120):030x}f"
    return f"{version}-{trace}-{SPAN}-01", trace


def invalid_traces(draw: random.Random) -> tuple[str, ...]:
    """Headers that name no trace (W3C Trace Context, sections 3.2.2 and 3.2.3)."""
    trace = new_trace(draw)[1]
    return (
        trace,
        f"00-{trace}-{SPAN}",
        f"00-{trace[1:]}-{SPAN}-01",
        f"00-{trace.upper()}-{SPAN}-01",
        f"ff-{trace}-{SPAN}-01",
        f"00-{NOTHING * 32}-{SPAN}-01",
        f"00-{trace}-{NOTHING * 16}-01",
        f"00-{trace}-{SPAN}-01-more",
        f"00-{'x' * 32}-{SPAN}-01",
    )


def trace_of(header: str | None) -> str | None:
    """The trace id of a header that the service has sent; None where it is not valid."""
    found = VALID.fullmatch(header or "")
    if not found or not int(found[1], 16) or not int(found[2], 16):
        return None
    return found[1]


def is_trace(text: object) -> bool:
    """Whether it is a trace id."""
    return isinstance(text, str) and bool(re.fullmatch("[0-9a-f]{32}", text)) and int(text, 16) > 0
