"""Lets a document be worked on in a process apart, bounded in time and memory: what it can't stand is its own fault."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
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
CHUNK = 65_536
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


class Bench:
    """One document, worked on in a process that starts with the first task and lasts until `close`."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._child: _Child | None = None

    def close(self) -> None:
        if self._child:
            self._child.close()
            self._child = None

    def faults(self) -> list[tuple[str, str]]:
        """Where the document is not valid, and why; at most a few."""
        return [(one["at"], one["what"]) for one in self._work("faults")]

    def cases(self, examples: int) -> list[Case]:
        """Up to so many requests for each operation that fit, and as many whose body does not; always the same ones."""
        inputs = [*MADE_BY, json.dumps(self.document.content), str(examples)]
        made = kept("openapi-cases", inputs, lambda: self._work("cases", examples=examples))
        return [Case(**one) for one in made]

    def judged(self, exchanges: Sequence[Exchange]) -> list[str]:
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
        return [str(one) for one in self._work("judged", exchanges=said)]

    def fits(self, asked: Sequence[tuple[Any, str]]) -> list[bool]:
        """For each schema of a parameter and value as text: whether it lets the value through, as text or as a number."""
        return [bool(one) for one in self._work("fits", asked=asked)]

    def _work(self, task: str, **more: Any) -> Any:
        """The result of a task of `openapi_child`.

        Raises Failure where the document makes that impossible, and CannotJudge where the machine does.
        """
        child = self._child = self._child or _Child(self.document)
        try:
            done = child.ask({"task": task, **more})
        except TimeoutError:
            self.close()
            # Not one processor's time was used up: the machine did not give it, and the document is not to blame.
            raise CannotJudge(
                f"The work on the document did not get {PROCESSOR_SECONDS} seconds of a processor in {SECONDS} seconds.",
                "Close what keeps this machine busy, and grade again.",
            ) from None
        if done is None:
            why = child.last_words()
            self.close()
            raise Failure(
                expected="A document that ordinary tools can work with (openapi-spec-validator, schemathesis).",
                got=f"working through it failed: {why}",
                because=BECAUSE,
                did=self.document.did,
            )
        return json.loads(done)


class _Child:
    """The process: a line of JSON in, a line out."""

    def __init__(self, document: Document) -> None:
        self._home = tempfile.TemporaryDirectory()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        home = self._home.name
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-m", "graders.probes.openapi_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=home,
            env={"HOME": home, "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self._say({"processor_seconds": PROCESSOR_SECONDS, "document": json.dumps(document.content)})

    def ask(self, task: Mapping[str, Any]) -> bytes | None:
        """Its answer, or None where it has ended without one. Raises TimeoutError."""
        self._say(task)
        pipe, answer, deadline = self._process.stdout, b"", time.monotonic() + SECONDS
        assert pipe
        while not answer.endswith(b"\n"):
            ready, _, _ = select.select([pipe], [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                raise TimeoutError
            if not (part := os.read(pipe.fileno(), CHUNK)):
                return None
            answer += part
        return answer

    def last_words(self) -> str:
        """Why it has ended."""
        if self._process.wait() == -signal.SIGXCPU:
            return f"it takes more than {PROCESSOR_SECONDS} seconds of a processor"
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:400] if lines else f"it ended with {self._process.returncode}"

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            if pipe:
                with suppress(OSError):
                    pipe.close()
        self._home.cleanup()

    def _say(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin
        with suppress(BrokenPipeError):  # it has ended, which the next answer will tell
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
