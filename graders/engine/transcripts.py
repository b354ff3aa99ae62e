"""The text of a failure is a tested artefact: what each wrong fix makes a learner read, kept beside the fixes.

Transcripts are kept as the learner reads them, numbers and all; numbers, cursors, tokens and addresses may differ when
two of them are compared, since they follow the seed or are drawn.
"""

import re
from pathlib import Path

from graders.reports.model import Outcome, Report
from labs.catalog import Lab

FOLDER = "transcripts"
WORDS_SHOWN = 30  # enough to see what came instead, on a machine that nobody can look at later

VARIES = [
    (re.compile(r"cursor=[^\s'\"&]+"), "cursor=…"),
    (re.compile(r"'[^']*'::\w+(?: with(?:out)? time zone)?"), "$#"),  # a plan shows a parameter, or its value
    # Drawn by the service: the id of a request, a trace, a span.
    (re.compile(r"\b[0-9a-f]{16}(?:[0-9a-f]{16})?\b"), "id…"),
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*"), "token…"),
    (re.compile(r"\d+(?:[ ,.:T-]\d+)*"), "#"),
    (re.compile(r"#(?:\s*(?:kB|MB|Z))"), "#"),
]


def transcript(report: Report) -> str:
    """Every failure of a report in the words of the learner's screen, without the service's log."""
    return "\n".join(_failure(outcome) for outcome in report.checks if outcome.failure)


def differences(lab: Lab, reports: dict[str, Report]) -> list[str]:
    """A sentence for each kept transcript that is not what its fix says now. Which ones are kept is the author's choice."""
    return [
        f"{name} now says something else than {_file(lab, name).relative_to(lab.kit)}: {_first(_file(lab, name), report)}"
        for name, report in reports.items()
        if _file(lab, name).exists()
        and normal(_file(lab, name).read_text(encoding="utf-8")) != normal(transcript(report))
    ]


def keep(lab: Lab, reports: dict[str, Report]) -> None:
    """Write the transcripts of these fixes."""
    folder = lab.grader / FOLDER
    folder.mkdir(exist_ok=True)
    for name, report in reports.items():
        _file(lab, name).write_text(transcript(report), encoding="utf-8")


def normal(text: str) -> str:
    """The text with everything that follows the seed replaced, and spaces evened out."""
    for pattern, sign in VARIES:
        text = pattern.sub(sign, text)
    return " ".join(text.split())


def _file(lab: Lab, name: str) -> Path:
    return lab.grader / FOLDER / f"{name}.txt"


def _failure(outcome: Outcome) -> str:
    failure = outcome.failure
    assert failure is not None, "only failures are asked for"
    parts = {
        "What we did": failure.did,
        "Expected": failure.expected,
        "Got": failure.got,
        "Why it matters": failure.because,
        "Read": "\n".join(failure.read),
    }
    lines = [f"{outcome.id}: {outcome.title}"]
    for label, text in parts.items():
        lines += [f"  {label}", *(f"    {line}".rstrip() for line in text.splitlines())]
    return "\n".join(lines) + "\n"


def _first(kept: Path, report: Report) -> str:
    """The first words that differ, kept against new."""
    old, new = normal(kept.read_text(encoding="utf-8")).split(), normal(transcript(report)).split()
    place = next(
        (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )
    words = slice(max(0, place - 3), place + WORDS_SHOWN)
    return f"{' '.join(old[words])!r} became {' '.join(new[words])!r}"
