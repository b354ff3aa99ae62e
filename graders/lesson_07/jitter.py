"""Whether chance has its part in waits: jobs that failed together, after the same try, come back apart.

A busy machine makes waits longer, some of them by much. So a wait is compared with the shortest of its group, and what
counts is the upper quartile of all: a few that are late don't make what is the same each time look drawn.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SLACK = 0.97  # clocks of two processes
SMALL = 0.3  # seconds: less than this of jitter nobody can see on a busy machine
# How far apart at least, by how many waits there are. Even draws are at about 0.65; by simulation with 12 charges and
# 8 mails (20, 40, 60 waits and more, by the policy) one right worker in 100 000 is below these.
APART = ((50, 0.35), (30, 0.3), (1, 0.2))
SHOWN = 4


@dataclass(frozen=True)
class Wait:
    """One wait of a job, after its try of that number. nominal: without jitter; in seconds, as `seconds`."""

    kind: str
    tries: int
    nominal: float
    jitter: float
    seconds: float


Group = Sequence[Wait]


def groups(waits: Sequence[Wait]) -> list[Group]:
    """Those of one kind after the same try, where jitter is long enough to be seen; the longest last."""
    found: Mapping[tuple[str, int], list[Wait]] = defaultdict(list)
    for wait in waits:
        if wait.nominal * wait.jitter >= SMALL:
            found[wait.kind, wait.tries].append(wait)
    return sorted(found.values(), key=lambda group: group[0].nominal)


def some_early(found: Sequence[Group]) -> bool:
    """Whether any wait is shorter than growth alone would have it."""
    return any(wait.seconds < wait.nominal * SLACK for group in found for wait in group)


def come_apart(found: Sequence[Group]) -> bool:
    """Whether what jitter takes off differs from job to job."""
    shares = sorted(share for group in found for share in _apart(group))
    least = next((least for number, least in APART if len(shares) >= number), None)
    return least is not None and shares[-1 - len(shares) // 4] >= least


def longest(found: Sequence[Group]) -> list[Group]:
    """Of each kind the group with the longest waits, where chance is seen best; the longest of all first."""
    return sorted({group[0].kind: group for group in found}.values(), key=lambda group: -group[0].nominal)


def told(group: Group) -> str:
    """The group on one line."""
    some = ", ".join(f"{wait.seconds:.2f}" for wait in group[:SHOWN])
    return f"[{group[0].kind}] after try {group[0].tries}: {some} s"


def _apart(group: Group) -> list[float]:
    """How much longer each wait is than the shortest of them, in parts of what jitter may take off."""
    seconds = [wait.seconds for wait in group]
    most = group[0].jitter * min(group[0].nominal, max(seconds))
    return [(each - min(seconds)) / most for each in seconds]
