"""Text made safe to show: control characters written out, long parts cut with a mark."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from graders.reports.model import FailureText, Outcome, Phase, Report, Trouble

T = TypeVar("T")

PART_CHARACTERS = 4_000
LOG_LINE_CHARACTERS = 1_000
BLOCKED_SENTENCES = 50
WHOLE_BYTES = 1_000_000
TIGHTER = (PART_CHARACTERS, 1_000, 250, 80)

# Log viewers of CI machines obey what follows these places: a backslash there spoils the command.
WORKFLOW_COMMAND = re.compile(r"^[^\S\n]*(?=::)|#(?=#\[|#vso\[|#teamcity\[)", re.MULTILINE)

_KEPT_CONTROLS = "\n\t"
# Joiners are invisible, but real words in Persian or Hindi, and most emoji, are not spelt without them.
_KEPT_FORMATS = "\u200c\u200d"
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_CUT = " … [cut: {} characters]"
_EARLIER = "… [earlier lines: {}]"


class _Spelling(dict[int, str]):
    """What stands for each character, worked out once for each that occurs."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        shown = character.encode("unicode_escape").decode("ascii") if _acts(character) else character
        self[code] = shown
        return shown


def _acts(character: str) -> bool:
    if character.isprintable() or character in _KEPT_CONTROLS or character in _KEPT_FORMATS:
        return False
    return unicodedata.category(character) in _HIDDEN or ord(character) & 0xFFFE == 0xFFFE


_SPELLING = _Spelling()


def visible(text: str) -> str:
    """Write out every character that acts on a screen instead of showing (ESC becomes `\\x1b`).

    Covers C0 and C1 controls, bidirectional marks and overrides, other invisible characters, lone surrogates
    and noncharacters. Newline and tab stay.
    """
    return text.translate(_SPELLING)


def part(text: str, limit: int = PART_CHARACTERS) -> str:
    """`text` made visible and at most `limit` characters long, with a mark where it was cut."""
    shown = visible(text[: limit + 1])
    if len(text) <= limit and len(shown) <= limit:
        return shown
    mark = _CUT.format(len(text))
    return shown[: max(0, limit - len(mark))] + mark


def harmless(text: str) -> str:
    """`text` with the commands in it spoilt that CI machines obey, for files that somebody may print."""
    return WORKFLOW_COMMAND.sub(lambda found: found.group() + "\\", text)


def one_line(text: str, limit: int = PART_CHARACTERS) -> str:
    """`text` on a single line, for titles and notes."""
    return " ".join(part(text, limit).split())


def log_lines(lines: Sequence[str], limit: int = PART_CHARACTERS) -> tuple[str, ...]:
    """The last of `lines` that fit into `limit` characters; a newline inside a line is written out."""
    each = min(LOG_LINE_CHARACTERS, limit // 2)
    mark_room = len(_EARLIER.format(len(lines))) + 1
    kept: list[str] = []
    used = 0
    for left, line in zip(range(len(lines) - 1, -1, -1), reversed(lines), strict=True):
        shown = part(line.replace("\n", "\\n"), each)
        used += len(shown) + 1
        if used > limit - (mark_room if left else 0):
            return (_EARLIER.format(left + 1), *reversed(kept))
        kept.append(shown)
    return tuple(reversed(kept))


def safe(report: Report, limit: int = PART_CHARACTERS) -> Report:
    """The same report with every text visible and capped. Doing it twice changes nothing."""
    bare = replace(report, blocked=report.blocked[:BLOCKED_SENTENCES], phases=(), checks=(), trouble=None)
    return replace(
        with_texts(bare, lambda text: one_line(text, limit)),
        phases=tuple(_safe_phase(phase, limit) for phase in report.phases),
        checks=tuple(safe_outcome(outcome, limit) for outcome in report.checks),
        trouble=report.trouble and _safe_trouble(report.trouble, limit),
    )


class TooLarge(ValueError):
    """The report does not fit into a format, however short its parts are cut."""


def fitted(report: Report, render: Callable[[Report], str], limit: int = WHOLE_BYTES) -> str:
    """`render` of the safe report, at most `limit` bytes of UTF-8: parts are cut shorter, all alike, until it fits."""
    for characters in TIGHTER:
        text = render(safe(report, characters))
        if len(text.encode()) <= limit:
            return text
    raise TooLarge(f"{len(report.checks)} checks are too many for one file of {limit} bytes")


def _safe_phase(phase: Phase, limit: int) -> Phase:
    return replace(phase, name=one_line(phase.name, limit), note=one_line(phase.note, limit))


def _safe_trouble(trouble: Trouble, limit: int) -> Trouble:
    return Trouble(*(part(text, limit) for text in (trouble.problem, trouble.remedy, trouble.details)))


def safe_outcome(outcome: Outcome, limit: int = PART_CHARACTERS) -> Outcome:
    """The same outcome with every text visible and capped."""
    bare = replace(outcome, failure=None)
    return replace(
        with_texts(bare, lambda text: one_line(text, limit)),
        failure=outcome.failure and _safe_failure(outcome.failure, limit),
    )


def _safe_failure(failure: FailureText, limit: int) -> FailureText:
    return FailureText(
        did=part(failure.did, limit),
        expected=part(failure.expected, limit),
        got=part(failure.got, limit),
        because=part(failure.because, limit),
        log=log_lines(failure.log, limit),
        read=tuple(one_line(place, min(limit, 300)) for place in failure.read[:10]),
    )


def with_texts(value: T, change: Callable[[str], str]) -> T:
    """`value` (a report or a part of one) with `change` applied to every text in it."""
    return cast(T, _changed(value, change))


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple):
        return tuple(_changed(item, change) for item in value)
    if isinstance(value, dict):
        return {change(name): _changed(item, change) for name, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _changed(getattr(value, f.name), change) for f in fields(value)})
    return value
