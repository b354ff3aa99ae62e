"""How a screen is laid out: its width, its marks, and finished lines of text, which `show` prints."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.text import Text

from graders.check import Verdict
from graders.reports.plain import WORKFLOW_COMMAND, with_texts

T = TypeVar("T")

READABLE_COLUMNS = 100
NARROWEST_COLUMNS = 40

STYLES: dict[Verdict, str] = {"pass": "green", "fail": "bold red", "skipped": "yellow", "ungraded": "magenta"}


@dataclass(frozen=True)
class Marks:
    """The signs of a screen. Each verdict has a sign of its own, so that nothing depends on colour."""

    verdicts: dict[Verdict, str]
    ticks: dict[Verdict, str]
    dot: str
    more: str
    spinner: str


_SIGNS: dict[Verdict, str] = {"pass": "✓", "fail": "✗", "skipped": "\N{EN DASH}", "ungraded": "?"}
UNICODE = Marks(verdicts=_SIGNS, ticks=_SIGNS, dot=" · ", more="…", spinner="dots")
ASCII = Marks(
    verdicts={"pass": "ok  ", "fail": "FAIL", "skipped": "skip", "ungraded": "??  "},
    ticks={"pass": ".", "fail": "F", "skipped": "s", "ungraded": "?"},
    dot=" | ",
    more="...",
    spinner="line",
)


@dataclass(frozen=True)
class Page:
    """What a screen is laid out for: a console, the columns it offers, and the marks that it can print."""

    console: Console
    width: int
    marks: Marks

    def legible(self, value: T) -> T:
        """`value` with every character that the console's encoding lacks written out."""
        encoding = self.console.encoding
        return with_texts(value, lambda text: text.encode(encoding, "backslashreplace").decode(encoding))

    def mark(self, verdict: Verdict) -> Text:
        """The sign of a verdict; always of the same width on one page."""
        return Text.assemble((self.marks.verdicts[verdict], STYLES[verdict]))


def page_for(console: Console, *, widest: int = READABLE_COLUMNS) -> Page:
    """The page that fits `console`. Lines longer than `widest` columns are hard to read."""
    width = max(NARROWEST_COLUMNS, min(console.width, widest))
    return Page(console, width, UNICODE if _can_print(console, "".join(_SIGNS.values()) + "·…●○") else ASCII)


def _can_print(console: Console, signs: str) -> bool:
    try:
        signs.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def show(lines: Iterable[Text], console: Console) -> None:
    """Print finished lines as they are: not wrapped, not cropped, none of them a command to a CI machine."""
    console.print(Text("\n").join(_harmless(line) for line in lines), soft_wrap=True)


def _harmless(line: Text) -> Text:
    harmless = Text(end="")
    done = 0
    for found in WORKFLOW_COMMAND.finditer(line.plain):
        harmless.append_text(line[done : found.end()]).append("\\")
        done = found.end()
    return harmless.append_text(line[done:]) if done or harmless else line


def prose(text: str, page: Page, *, indent: int = 0, style: str = "") -> list[Text]:
    """`text` wrapped between words to the page, indented, its own line breaks kept."""
    room = page.width - indent
    lines = [
        line for given in text.split("\n") for line in Text(given, style).wrap(page.console, room) or [Text()]
    ]
    for line in lines:
        line.rstrip()
    return [Text(" " * indent) + line if line else Text() for line in lines]


def hanging(mark: Text, text: str, page: Page, *, style: str = "") -> list[Text]:
    """`mark`, then `text` wrapped beside it."""
    indent = mark.cell_len + 2
    first, *rest = prose(text, page, indent=indent, style=style)
    return [mark + Text("  ") + first[indent:], *rest]


def flowing(facts: Iterable[Text], page: Page) -> list[Text]:
    """Short facts side by side with dots between them; a line ends between two facts, never inside one."""
    lines: list[Text] = []
    for fact in facts:
        if lines and lines[-1].cell_len + len(page.marks.dot) + fact.cell_len <= page.width:
            lines[-1] = Text.assemble((page.marks.dot, "dim")).join([lines[-1], fact])
        else:
            lines.append(fact)
    return lines


def verbatim(text: str, *, indent: int = 0, style: str = "") -> list[Text]:
    """`text` line by line, never wrapped: for commands, which must stay whole to be pasted."""
    return [Text(" " * indent) + Text(line, style) for line in text.split("\n")]
