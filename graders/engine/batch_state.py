"""What a batch has finished, kept in its folder so that the same command goes on where a killed one ended."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from graders.engine.whole_files import write_whole
from graders.reports.batch_rows import BatchRow

VERSION = 1
Circumstances = Mapping[str, Any]


class StateUnusable(Exception):
    """The folder holds something else than results of this lesson; the text says what to do."""


@dataclass(frozen=True)
class Finished:
    """A row and the circumstances it was reached under: the submission's content, the lesson, the kit, the options."""

    under: Circumstances
    row: BatchRow


@dataclass
class State:
    """The finished rows of a lesson's batch by the names of their files, and the seed they share."""

    path: Path
    lesson: str
    seed: int
    finished: dict[str, Finished] = field(default_factory=dict)

    def row(self, file: str, under: Circumstances) -> BatchRow | None:
        """The row that was reached under just these circumstances, if any."""
        kept = self.finished.get(file)
        return kept.row if kept and kept.under == under else None

    def keep(self, file: str, finished: Finished) -> None:
        """Add a row and write everything down, so that a kill at any moment costs no finished row."""
        self.finished[file] = finished
        rows = {name: asdict(each) for name, each in self.finished.items()}
        data = {"version": VERSION, "lesson": self.lesson, "seed": self.seed, "finished": rows}
        write_whole(self.path, json.dumps(data, indent=1) + "\n")


def read(path: Path, lesson: str) -> State | None:
    """The state that was kept in `path`, None without one. Raises StateUnusable."""
    if not path.exists():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        rows = {
            name: Finished(kept["under"], BatchRow(**kept["row"])) for name, kept in data["finished"].items()
        }
        known = (data["version"], data["lesson"]) == (VERSION, lesson)
        state = State(path, lesson, int(data["seed"]), rows)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StateUnusable(f"{path} cannot be read ({error!r}): begin anew with --fresh.") from error
    if not known:
        raise StateUnusable(
            f"{path} is of another lesson or kit: name another --out, or begin anew with --fresh."
        )
    return state
