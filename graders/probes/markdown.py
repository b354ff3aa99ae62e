"""Tables in Markdown documents that people write by hand (GitHub Flavored Markdown, section 4.10), read leniently."""

import re
from dataclasses import dataclass

RULE = re.compile(r"^\s*:?-+:?\s*$")


@dataclass(frozen=True)
class Table:
    """A table: the header's cells as written, and each row as a mapping from lower-cased header to cell."""

    header: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


def tables(text: str) -> tuple[Table, ...]:
    """Every pipe table in the text, outside of code fences."""
    found: list[Table] = []
    lines = _outside_fences(text)
    at = 0
    while at + 1 < len(lines):
        header, rule = _cells(lines[at]), _cells(lines[at + 1])
        if len(header) > 1 and len(rule) == len(header) and all(RULE.match(cell) for cell in rule):
            body = [_cells(line) for line in _until_blank(lines[at + 2 :])]
            found.append(_table(header, body))
            at += 2 + len(body)
        else:
            at += 1
    return tuple(found)


def plain(cell: str) -> str:
    """A cell without backticks, emphasis and links."""
    without_links = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", cell)
    return re.sub(r"[`*]|(?<!\w)_|_(?!\w)", "", without_links).strip()


def _table(header: list[str], body: list[list[str]]) -> Table:
    names = [plain(cell).lower() for cell in header]
    padded = [row + [""] * (len(names) - len(row)) for row in body]
    return Table(tuple(header), tuple(dict(zip(names, row, strict=False)) for row in padded))


def _cells(line: str) -> list[str]:
    """The cells of a row; a pipe that is escaped or within a code span belongs to its cell."""
    if "|" not in line:
        return []
    masked = re.sub(r"`[^`]*`|\\\|", lambda match: match.group().replace("|", "\0"), line.strip())
    inner = masked.removeprefix("|").removesuffix("|")
    return [cell.replace("\\\0", "|").replace("\0", "|").strip() for cell in inner.split("|")]


def _until_blank(lines: list[str]) -> list[str]:
    rows: list[str] = []
    for line in lines:
        if "|" not in line:
            break
        rows.append(line)
    return rows


def _outside_fences(text: str) -> list[str]:
    kept: list[str] = []
    fenced = False
    for line in text.splitlines():
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
            kept.append("")
        elif not fenced:
            kept.append(line)
    return kept
