"""What the conductor says to the command line: one JSON object a line, and the job it is given."""

import dataclasses
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from compose.stores import Ground
from graders.engine.submission import Submission
from graders.reports.model import FailureText, Outcome, Phase, Trouble
from labs.catalog import Budgets, Lab, load


class Listener(Protocol):
    """Who watches a grade: the live display, or nobody."""

    def phase_started(self, name: str) -> None: ...
    def phase_ended(self, phase: Phase) -> None: ...
    def check_started(self, id: str, title: str) -> None: ...
    def check_ended(self, outcome: Outcome) -> None: ...
    def note(self, text: str) -> None: ...


class Nobody:
    """A listener that shows nothing."""

    def phase_started(self, name: str) -> None:
        del name

    def phase_ended(self, phase: Phase) -> None:
        del phase

    def check_started(self, id: str, title: str) -> None:
        del id, title

    def check_ended(self, outcome: Outcome) -> None:
        del outcome

    def note(self, text: str) -> None:
        del text


@dataclass(frozen=True)
class Job:
    """What the conductor is asked to do. `serve` keeps the service up for use by hand instead of grading.

    untrusted: no grade without a sandbox. install: whether dependencies may be installed. cores: the processors
    that everything in this grade runs on; empty for all. on: what the stores and the submission run on.
    """

    lab: Lab
    submission: Submission
    seed: int
    run_dir: Path
    only: tuple[str, ...] = ()
    serve: bool = False
    untrusted: bool = False
    install: bool = True
    cores: tuple[int, ...] = ()
    on: Ground = "embedded"

    def to_json(self) -> str:
        return json.dumps(
            {
                "manifest": str(self.lab.folder / "lab.toml"),
                "kind": self.submission.kind,
                "path": str(self.submission.path) if self.submission.path else None,
                "name": self.submission.name,
                "seed": self.seed,
                "run_dir": str(self.run_dir),
                "only": self.only,
                "serve": self.serve,
                "untrusted": self.untrusted,
                "install": self.install,
                "cores": self.cores,
                "on": self.on,
                "budgets": dataclasses.asdict(self.lab.budgets),
            }
        )

    @staticmethod
    def from_json(text: str) -> "Job":
        data = json.loads(text)
        path = Path(data["path"]) if data["path"] else None
        return Job(
            lab=dataclasses.replace(load(Path(data["manifest"])), budgets=Budgets(**data["budgets"])),
            submission=Submission(data["kind"], path, data["name"]),
            seed=data["seed"],
            run_dir=Path(data["run_dir"]),
            only=tuple(data["only"]),
            serve=data["serve"],
            untrusted=data["untrusted"],
            install=data["install"],
            cores=tuple(data["cores"]),
            on=data["on"],
        )


@dataclass(frozen=True)
class Result:
    """The last word of a conductor: everything of the report that only it can know."""

    outcomes: tuple[Outcome, ...]
    phases: tuple[Phase, ...]
    tree_hash: str
    isolation: str
    stores: dict[str, str]
    trouble: Trouble | None
    blocked: tuple[str, ...] = ()


class Channel:
    """The conductor's end. Safe from several threads; a reader that has gone away is not an error here."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, event: str, **values: Any) -> None:
        line = json.dumps({"event": event, **values}, default=dataclasses.asdict) + "\n"
        data = memoryview(line.encode())
        with self._lock:
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except BrokenPipeError:
                return

    def phase_started(self, name: str) -> None:
        self.send("phase_started", name=name)

    def phase_ended(self, phase: Phase) -> None:
        self.send("phase_ended", phase=phase)

    def check_started(self, id: str, title: str) -> None:
        self.send("check_started", id=id, title=title)

    def check_ended(self, outcome: Outcome) -> None:
        self.send("check_ended", outcome=outcome)

    def note(self, text: str) -> None:
        self.send("note", text=text)

    def result(self, result: Result) -> None:
        self.send("result", result=result)


def relay(message: Mapping[str, Any], listener: Listener) -> None:
    """Give one message that is not the result to the listener."""
    match message["event"]:
        case "phase_started":
            listener.phase_started(message["name"])
        case "phase_ended":
            listener.phase_ended(Phase(**message["phase"]))
        case "check_started":
            listener.check_started(message["id"], message["title"])
        case "check_ended":
            listener.check_ended(outcome(message["outcome"]))
        case "note":
            listener.note(message["text"])


def result(data: Mapping[str, Any]) -> Result:
    """The Result that a conductor sent."""
    trouble = data["trouble"]
    return Result(
        outcomes=tuple(outcome(each) for each in data["outcomes"]),
        phases=tuple(Phase(**each) for each in data["phases"]),
        tree_hash=data["tree_hash"],
        isolation=data["isolation"],
        stores=data["stores"],
        trouble=Trouble(**trouble) if trouble else None,
        blocked=tuple(data["blocked"]),
    )


def outcome(data: Mapping[str, Any]) -> Outcome:
    failure = data["failure"]
    text = (
        FailureText(**{**failure, "log": tuple(failure["log"]), "read": tuple(failure["read"])})
        if failure
        else None
    )
    return Outcome(**{**data, "failure": text})
