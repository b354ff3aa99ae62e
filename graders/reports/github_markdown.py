"""The report as Markdown for GitHub's step summary. Nothing that a submission says is Markdown or HTML in it."""

import re
from collections.abc import Callable
from functools import partial

from graders.check import Verdict
from graders.reports.model import Outcome, Report
from graders.reports.plain import fitted, harmless
from graders.reports.words import (
    NOT_YOUR_LOSS,
    PARTIAL,
    VERDICT_WORDS,
    replay,
    score_words,
    six_parts,
    verdict_words,
)

SIGNS: dict[Verdict, str] = {"pass": "✅", "fail": "❌", "ungraded": "❔", "skipped": "⏭️"}

_PUNCTUATION = re.compile(r"[!-&(-+\-./:-@\[-`{-~]")  # all of ASCII but the comma and the apostrophe
# GitHub links mentions and issue numbers in text after Markdown is gone, so an entity alone does not stop it.
_LINKED = {"@": "&#64;&#8203;", "#": "&#35;&#8203;"}
_AUTOLINK = re.compile(r"(?<=[wW])(?=[wW])")


def to_github_summary(report: Report) -> str:
    """What a step appends to GITHUB_STEP_SUMMARY, at most 1 MB; GitHub drops a summary above 1 MiB."""
    return fitted(report, _summary)


def text(given: str) -> str:
    """`given` as words and nothing else, on one line: no markup, link, mention, image or table cell in it."""
    escaped = _PUNCTUATION.sub(lambda found: _LINKED.get(found[0], f"&#{ord(found[0])};"), given)
    return _AUTOLINK.sub("&#8203;", " ".join(escaped.split()))


def prose(given: str) -> str:
    """`given` as paragraphs of `text`, its line breaks kept."""
    paragraphs = re.split(r"\n\s*\n", given.strip())
    return "\n\n".join("\\\n".join(text(line) for line in paragraph.split("\n")) for paragraph in paragraphs)


def fence(given: str, language: str = "text") -> str:
    """`given` as a block of code, in a fence longer than any that it holds."""
    longest = max((len(run) for run in re.findall("`+", given)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}{language}\n{given}\n{marks}"


# Prose wraps on a phone; what has columns, or is pasted, must not.
SHOWN: dict[str, Callable[[str], str]] = {
    "What we did": partial(fence, language="sh"),
    "Expected": prose,
    "Got": fence,
    "Why it matters": prose,
    "Service log": fence,
    "Read": prose,
}


def _summary(report: Report) -> str:
    failures = [outcome for outcome in report.checks if outcome.verdict == "fail"]
    blocks = [
        f"### {SIGNS[report.verdict]} {text(report.lesson)}: {text(report.title)}",
        _result(report),
        PARTIAL if report.partial else "",
        _trouble(report),
        *(_failure(outcome, opened=number == 0) for number, outcome in enumerate(failures)),
        _blocked(report),
        _table(report),
        _facts(report),
    ]
    return harmless("\n\n".join(block for block in blocks if block) + "\n")


def _result(report: Report) -> str:
    words = [verdict_words(report), score_words(report)]
    return f"**{text(', '.join(word for word in words if word))}**"


def _trouble(report: Report) -> str:
    if report.verdict != "ungraded":
        return ""
    trouble = report.trouble
    if trouble is None:
        return NOT_YOUR_LOSS
    parts = [NOT_YOUR_LOSS, "**Problem**", prose(trouble.problem), "**What to do**", prose(trouble.remedy)]
    return "\n\n".join([*parts, "**Details**", fence(trouble.details)] if trouble.details else parts)


def _failure(outcome: Outcome, *, opened: bool) -> str:
    """The six parts, folded away but for the first failure."""
    head = f"<b>{text(outcome.id)}</b>: {text(outcome.title)}"
    if outcome.failure is None:
        return f"{head}\n\n{fence(outcome.note)}"
    parts = [f"**{label}**\n\n{SHOWN[label](part)}" for label, part in six_parts(outcome.failure) if part]
    start = "<details open>" if opened else "<details>"
    return "\n\n".join([f"{start}\n<summary>{SIGNS['fail']} {head}</summary>", *parts, "</details>"])


def _blocked(report: Report) -> str:
    return "\n".join(
        ["**Blocked**", "", *(f"- {text(sentence)}" for sentence in report.blocked)] * bool(report.blocked)
    )


def _table(report: Report) -> str:
    rows = [
        f"| {SIGNS[one.verdict]} {VERDICT_WORDS[one.verdict]} | {text(one.id)} | {text(_about(one))} "
        f"| {one.points if one.verdict == 'pass' else 0}/{one.points} |"
        for one in report.checks
    ]
    return "\n".join(["| | check | | points |", "|---|---|---|--:|", *rows])


def _about(outcome: Outcome) -> str:
    return outcome.note if outcome.verdict in ("skipped", "ungraded") and outcome.note else outcome.title


def _facts(report: Report) -> str:
    facts = {
        "to repeat": replay(report),
        "isolation": report.isolation,
        "graded": f"{report.submission}, {report.tree_hash}",
        "lesson version": str(report.lesson_version),
        "octo_lab": report.kit_version,
        **report.stores,
    }
    return "\n".join(f"- {text(name)}: {text(value)}" for name, value in facts.items())
