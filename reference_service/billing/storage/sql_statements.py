"""SQL is cut where its author sees a statement end: a semicolon in a text, a name or a comment ends nothing.

Quoting is that of the PostgreSQL manual, section 4.1; what is never closed is left for Postgres to name.
BEGIN ATOMIC bodies are not understood: write AS $$ … $$ instead.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\* )
    | (?<![\w$]) [eE] ' (?: [^'\\] | \\. | '' )* '              # text with backslash escapes
    | ' (?: [^'] | '' )* '                                      # text
    | " (?: [^"] | "" )* "                                      # quoted name
    | (?<![\w$]) (?P<tag> \$ (?: [^\W\d]\w* )? \$ ) .*? (?P=tag)    # dollar-quoted text
    | (?P<end> ; )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Statement:
    """One statement and the line of its file where it begins."""

    text: str
    line: int

    def headline(self) -> str:
        """Its first line, short enough for a message."""
        first = self.text.splitlines()[0]
        return first if len(first) <= 80 else first[:79] + "…"


def split(text: str) -> list[Statement]:
    """The statements of a file, in order, without the comments before them."""
    statements = []
    begin: int | None = None
    for start, end, is_end in _pieces(text):
        if is_end:
            if begin is not None:
                statements.append(_statement(text, begin, start))
            begin = None
        elif begin is None and not text[start:end].isspace():
            begin = end - len(text[start:end].lstrip())
    if begin is not None:
        statements.append(_statement(text, begin, len(text)))
    return statements


def _pieces(text: str) -> Iterator[tuple[int, int, bool]]:
    """What is not comment, as (start, end, ends a statement)."""
    position = 0
    while token := TOKEN.search(text, position):
        if token.start() > position:
            yield position, token.start(), False
        position = token.end()
        if token["comment"] == "/*":
            position = _block_comment_end(text, token.start())
        if not token["comment"] or position > len(text):
            yield token.start(), token.end(), bool(token["end"])
    if position < len(text):
        yield position, len(text), False


def _block_comment_end(text: str, start: int) -> int:
    """Where the comment that begins at `start` ends, past the end if nowhere. Block comments nest in SQL."""
    depth = 0
    for mark in re.finditer(r"/\*|\*/", text[start:]):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return start + mark.end()
    return len(text) + 1


def _statement(text: str, begin: int, end: int) -> Statement:
    return Statement(text[begin:end].rstrip(), text.count("\n", 0, begin) + 1)
