"""Run the contenders in turns, watch one grade's memory, print the tables and what made them."""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from compose import places
from graders.engine.grade import kit_version
from graders.engine.pool import cores
from labs.catalog import find
from tests.benchmarks import grounds, tables, traffic
from tests.benchmarks.batches import measured_batches
from tests.benchmarks.kit import Kit, NotPassed, make_plan, record_traffic
from tests.benchmarks.memory import measured_grade
from tests.benchmarks.rounds import contenders, take_turns

LESSON = "lesson-05"
ROUNDS = 3


def main(arguments: Sequence[str]) -> int:
    asked = _parser().parse_args(arguments)
    try:
        print(run(asked.rounds, quiet=asked.markdown))
    except NotPassed as error:
        print(f"The reference must pass before its speed means anything. {error}", file=sys.stderr)
        return 1
    return 0


def run(rounds: int, *, quiet: bool) -> str:
    """The whole benchmark; what it found as Markdown."""

    def say(text: str) -> None:
        if not quiet:
            print(text, file=sys.stderr, flush=True)

    lab, load = find(LESSON), os.getloadavg()[0]
    places.sweep()
    with places.run_directory() as here, tempfile.TemporaryDirectory() as records:
        kit = Kit(lab, Path(records))
        say("a grade with its requests written down (and everything warm after it)")
        recorded = record_traffic(kit, here.path)
        requests = traffic.load(recorded)
        workspace = here.path / "rounds"
        workspace.mkdir()
        workspace.chmod(0o711)
        times = take_turns(contenders(kit, make_plan(lab, here, recorded)), rounds, workspace, say)
        say("a grade with its memory watched")
        memory = measured_grade(kit)
        say("batches, at one job and at two")
        many = here.path / "batches"
        many.mkdir()
        batches = measured_batches(kit, many)
        on_grounds = grounds.measured_grounds(kit, rounds, say)
    return tables.joined(
        tables.speed(times, len(requests)),
        tables.ratios(times),
        tables.laps(times),
        tables.memory(memory),
        tables.batches(batches),
        [*grounds.table(on_grounds)],
        [made_by(rounds, load)],
    )


def made_by(rounds: int, load: float) -> str:
    """How to make these tables again, and on what they were made."""
    command = "python -m tests.benchmarks" + (f" --rounds {rounds}" if rounds != ROUNDS else "")
    return (
        f"`{command}` · octo_lab {kit_version()} · Python {platform.python_version()} · "
        f"{platform.system()} · {cores()} cores, load {load:.1f} at the start · "
        f"{rounds} rounds, in turns"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"rounds of each contender ({ROUNDS})")
    parser.add_argument("--markdown", action="store_true", help="print the tables alone, for the README")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
