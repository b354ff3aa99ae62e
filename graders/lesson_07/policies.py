"""queues.toml as a stranger reads it: a table for each kind, within the bounds of CONTRACT.md, Retries."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graders.check import Failure

KINDS = ("mail", "charge", "report")
WORDS = frozenset({"no-answer", "408", "429", "5xx"})
BOUNDS = {"attempts": (5, 8), "growth": (2, 3), "jitter": (0.25, 0.5), "most": (8, 60)}
SHOWN = 6


@dataclass(frozen=True)
class Policy:
    """One table. Waits are in units of RETRY_BASE_MS."""

    attempts: int
    growth: float
    jitter: float
    most: float

    def nominal(self, tries: int) -> float:
        """The wait after that many tries, before jitter."""
        return float(min(self.growth ** (tries - 1), self.most))

    def least(self, tries: int) -> float:
        return self.nominal(tries) * (1 - self.jitter)


Policies = Mapping[str, Policy]


def read_policies(text: str | None) -> Policies:
    """Raises Failure with every fault."""
    if text is None:
        raise _bad(["queues.toml is not there, or is no plain text."])
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise _bad([f"queues.toml is no TOML: {fault}"]) from None
    if faults := [*_faults(tables)]:
        raise _bad(faults)
    return {kind: Policy(**{name: tables[kind][name] for name in BOUNDS}) for kind in KINDS}


def _faults(tables: Mapping[str, Any]) -> Iterator[str]:
    found = {kind: tables[kind] for kind in KINDS if isinstance(tables.get(kind), dict)}
    yield from (f"queues.toml has no table [{kind}]." for kind in KINDS if kind not in found)
    yield from (f"[{name}] is no kind of job." for name in tables if name not in KINDS)
    for kind, table in found.items():
        for name, (least, most) in BOUNDS.items():
            value = table.get(name)
            number = isinstance(value, int if name == "attempts" else (int, float))
            if not number or isinstance(value, bool) or not least <= (value or 0) <= most:
                yield f"[{kind}] {name} is {value!r}; it is to be from {least} to {most}."
        yield from _words(kind, table)


def _words(kind: str, table: Mapping[str, Any]) -> Iterator[str]:
    retried, needed = table.get("retried"), WORDS if kind != "report" else {"no-answer"}
    if not isinstance(retried, list) or not all(isinstance(word, str) for word in retried):
        yield f"[{kind}] retried is {retried!r}; it is to be a list of texts."
    else:
        yield from (f"[{kind}] retried does not name {word!r}." for word in sorted(needed - {*retried}))
        yield from (f"[{kind}] retried names {word!r}." for word in sorted({*retried} - WORDS))
    if table.get("ends") != "dead":
        yield f"[{kind}] ends is {table.get('ends')!r}; it is to be 'dead'."


def _bad(faults: list[str]) -> Failure:
    more = [f"and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
    return Failure(
        expected="queues.toml says for each kind of job what is retried, how often, how late, and where it ends (CONTRACT.md, Retries).",
        got="\n".join([*faults[:SHOWN], *more]),
        because="At three in the morning somebody wants to know whether a job is still being tried. They look here.",
        did="cat queues.toml",
    )
