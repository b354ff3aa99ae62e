"""What a benchmark found, as Markdown tables: they read well in a terminal, too."""

from collections.abc import Iterator, Mapping, Sequence

from tests.benchmarks.batches import BatchRun
from tests.benchmarks.memory import KINDS, MIB, Memory
from tests.benchmarks.rounds import BY_HAND, FLOOR, KIT, Times

# At most so many times the floor; at least so many times as fast as by hand.
MOST_OF_THE_FLOOR = 1.5
LEAST_OF_BY_HAND = 5.0

LAPS = {
    "around": "start of the process, imports, its end",
    "files": "the service's files",
    "stores": "servers up, data copied",
    "seed": "data made",
    "install": "dependencies looked up",
    "release": "`release`",
    "boot": "`web` ready",
    "second": "the same on the second database",
    "requests": "the requests",
    "checks": "checks (with the two rows above in them)",
    "stop": "all stopped and removed",
}


def speed(times: Mapping[str, Times], requests: int) -> Iterator[str]:
    """Medians, all rounds, and the two ratios."""
    yield f"| {requests} requests, 2 databases | seconds (median) | all rounds | CPU seconds | against the kit |"
    yield "|---|---|---|---|---|"
    kit = times[KIT]
    for name, label in (
        (KIT, "`octo_lab grade --reference`, warm"),
        (FLOOR, "the floor: same servers, data, requests; no grader"),
        (BY_HAND, "by hand: a cluster made and filled in a pytest fixture; no grader"),
    ):
        mine = times[name]
        rounds = ", ".join(f"{each.seconds:.1f}" for each in mine.rounds)
        ratio = f"{mine.seconds / kit.seconds:.2f}"
        label += f" ({mine.different} answers differ)" if mine.different else ""
        yield f"| {label} | {mine.seconds:.1f} | {rounds} | {mine.cpu:.1f} | {ratio} |"


def ratios(times: Mapping[str, Times]) -> Iterator[str]:
    """The two promises, each measured in three ways; and what the cache of datasets is for."""
    kit, floor, by_hand = times[KIT], times[FLOOR], times[BY_HAND]
    over, faster = _ways(kit, floor), _ways(by_hand, kit)
    kept = _kept([ratio <= MOST_OF_THE_FLOOR for ratio in over])
    yield f"- kit / floor: {_told(over)}; at most {MOST_OF_THE_FLOOR}: {kept}"
    kept = _kept([ratio >= LEAST_OF_BY_HAND for ratio in faster])
    yield f"- by hand / kit: {_told(faster)}; at least {LEAST_OF_BY_HAND:.0f}: {kept}"
    made = (by_hand.lap("stores") or 0) + (by_hand.lap("seed") or 0)
    copied = kit.lap("stores") or 1
    yield f"- servers up with their data, by hand / kit: **{made / copied:.1f}** ({made:.1f} s, {copied:.2f} s)"


def laps(times: Mapping[str, Times]) -> Iterator[str]:
    """Where the seconds go, side by side."""
    yield "| seconds (median) | kit | floor | by hand |"
    yield "|---|---|---|---|"
    for name, label in LAPS.items():
        cells = [times[each].lap(name) for each in (KIT, FLOOR, BY_HAND)]
        if any(cell is not None for cell in cells):
            yield _row(label, *("" if cell is None else f"{cell:.2f}" for cell in cells))


def memory(found: Memory) -> Iterator[str]:
    """Peaks by kind of process."""
    yield f"| peak memory of a grade | MiB ({found.measure}) |"
    yield "|---|---|"
    for kind in KINDS:
        if kind in found.peaks:
            yield _row(kind, f"{found.peaks[kind] / MIB:.0f}")
    yield _row("**all at once**", f"**{found.whole / MIB:.0f}**")


def batches(runs: Sequence[BatchRun]) -> Iterator[str]:
    """Submissions a minute and peak memory, and the ratio of the last run to the first."""
    first, last = runs[0], runs[-1]
    yield _row(f"a batch of {first.submissions}", *(f"{_jobs(run.jobs)}" for run in runs), "ratio")
    yield _row(*["---"] * (len(runs) + 2))
    speeds = [run.per_minute for run in runs]
    yield _row(
        "submissions a minute", *(f"{speed:.1f}" for speed in speeds), f"**{speeds[-1] / speeds[0]:.2f}**"
    )
    peaks = [run.memory.whole / MIB for run in runs]
    kind = f"peak memory, all processes, MiB ({last.memory.measure})"
    yield _row(kind, *(f"{peak:.0f}" for peak in peaks), f"**{peaks[-1] / peaks[0]:.2f}**")


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"


def _ways(one: Times, other: Times) -> tuple[float, float, float]:
    """Ratios of medians, of fastest rounds, of CPU seconds: others at work on the machine disturb each differently."""
    return one.seconds / other.seconds, one.fastest / other.fastest, one.cpu / other.cpu


def _told(ways: tuple[float, float, float]) -> str:
    median, fastest, cpu = ways
    return f"**{median:.2f}** (fastest rounds {fastest:.2f}, CPU seconds {cpu:.2f})"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _kept(ways: Sequence[bool]) -> str:
    """A promise is kept, or broken, only where all measures say so."""
    return "kept" if all(ways) else "in doubt" if any(ways) else "NOT kept"


def joined(*tables: Iterator[str] | Sequence[str]) -> str:
    """Tables with a blank line between them."""
    return "\n\n".join("\n".join(table) for table in tables)
