"""Lets a document be worked on in a process apart, bounded in time and memory: what it can't stand is its own fault."""

import json
import signal
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from graders.check import CannotJudge, Failure
from graders.probes.api import Answer
from graders.probes.kept_work import kept
from graders.probes.openapi_document import Document, Operation

# What counts is the processor's time: a loaded machine changes no verdict. The clock is for what does not even compute.
PROCESSOR_SECONDS = 40
SECONDS = 200
# What the requests that are made from a document depend on, besides the document.
MADE_BY = (
    Path(__file__).with_name("openapi_child.py").read_text("utf-8"),
    *(version(name) for name in ("schemathesis", "hypothesis")),
)
BECAUSE = (
    "Generators of clients and of documentation work on the document as we do: what stops us stops them."
)


@dataclass(frozen=True)
class Case:
    """A request made from the document. `fits`: its body and query are as documented, or else its body is not."""

    method: str
    path: str
    fits: bool
    query: Mapping[str, Any]
    media_type: str | None
    body: Any = None


@dataclass(frozen=True)
class Exchange:
    """An answer that came for an operation."""

    operation: Operation
    target: str
    answer: Answer


def faults(document: Document) -> list[tuple[str, str]]:
    """Where the document is not valid, and why; at most a few."""
    return [(one["at"], one["what"]) for one in _work(document, "faults")]


def cases(document: Document, examples: int) -> list[Case]:
    """Up to so many requests for each operation that fit, and as many whose body does not; always the same ones."""
    inputs = [*MADE_BY, json.dumps(document.content), str(examples)]
    made = kept("openapi-cases", inputs, lambda: _work(document, "cases", examples=examples))
    return [Case(**one) for one in made]


def judged(document: Document, exchanges: Sequence[Exchange]) -> list[str]:
    """For each answer, in which way it is not as documented; empty where it is."""
    said = [
        {
            "method": one.operation.method,
            "path": one.operation.path,
            "target": one.target,
            "status": one.answer.status,
            "headers": list(one.answer.headers.items()),
            "body": b64encode(one.answer.body).decode(),
        }
        for one in exchanges
    ]
    return [str(one) for one in _work(document, "judged", exchanges=said)]


def fits(document: Document, asked: Sequence[tuple[Any, str]]) -> list[bool]:
    """For each schema of a parameter and value as text: whether it lets the value through, as what it is or as a number."""
    return [bool(one) for one in _work(document, "fits", asked=asked)] if asked else []


def _work(document: Document, task: str, **more: Any) -> Any:
    """The result of a task of `openapi_child`.

    Raises Failure where the document makes that impossible, and CannotJudge where the machine does.
    """
    asked = json.dumps(
        {"task": task, "processor_seconds": PROCESSOR_SECONDS, "document": document.content, **more}
    )
    with tempfile.TemporaryDirectory() as empty:
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-W", "ignore", "-m", "graders.probes.openapi_child"],
                input=asked,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                cwd=empty,
                env={"HOME": empty, "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
                check=False,
            )
        except subprocess.TimeoutExpired:
            # Not one processor's time was used up: the machine did not give it, and the document is not to blame.
            raise CannotJudge(
                f"The work on the document did not get {PROCESSOR_SECONDS} seconds of a processor in {SECONDS} seconds.",
                "Close what keeps this machine busy, and grade again.",
            ) from None
    if done.returncode == -signal.SIGXCPU:
        raise _stopped(document, f"it takes more than {PROCESSOR_SECONDS} seconds of a processor")
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise _stopped(document, lines[-1][:400] if lines else f"it ended with {done.returncode}")
    return json.loads(done.stdout)


def _stopped(document: Document, why: str) -> Failure:
    return Failure(
        expected="A document that ordinary tools can work with (openapi-spec-validator, schemathesis).",
        got=f"working through it failed: {why}",
        because=BECAUSE,
        did=document.did,
    )
