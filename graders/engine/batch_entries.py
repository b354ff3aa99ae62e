"""Which submissions a batch grades, and under which names. Nothing is opened here but lists of them."""

import csv
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from graders.engine.archives import bare_name, is_archive, resembles_service
from graders.reports.plain import one_line
from labs.catalog import Lab

NAME_CHARACTERS = 100
UNSAFE_IN_FILES = re.compile(r"[^\w. -]|^[.-]+")


class NoEntries(Exception):
    """What was given is no list of submissions; the text says what to give."""


@dataclass(frozen=True)
class Entry:
    """One row to come. `name` can be shown, `file` can name a file; both are unique in their batch."""

    name: str
    file: str
    path: Path


def entries(lab: Lab, given: Sequence[Path], lists: Sequence[Path], *, each: bool) -> tuple[Entry, ...]:
    """The submissions: those given (or, with `each`, those in the folders given), then those of the lists.

    Raises NoEntries.
    """
    named = [
        *(_in_folders(given) if each else _given(lab, given)),
        *(row for file in lists for row in _listed(file)),
    ]
    if not named:
        raise NoEntries("Name the submissions: folders, archives, or --csv FILE with lines of NAME,PATH.")
    missing = [str(path) for _, path in named if not path.exists()]
    if missing:
        raise NoEntries(f"There is no {', no '.join(missing[:5])}{' …' if len(missing) > 5 else ''}.")
    return tuple(_unique(named))


def _given(lab: Lab, paths: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    for path in paths:
        if path.is_dir() and (inside := _submissions(path)) and _is_shelf(path, lab):
            raise NoEntries(
                f"{path} holds {len(inside)} folders or archives and no file of a service. If each of them is a "
                f"submission, say so: --each {path} (or {path}/*)."
            )
        yield bare_name(path.absolute()), path


def _is_shelf(folder: Path, lab: Lab) -> bool:
    found = [path for path in folder.iterdir() if not path.name.startswith(".")]
    plain = [path for path in found if path.is_file() and not is_archive(path)]
    return not plain and not resembles_service([path.name for path in found], lab)


def _in_folders(folders: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    for folder in folders:
        if not folder.is_dir():
            raise NoEntries(f"--each takes folders of submissions, and {folder} is none.")
        for path in _submissions(folder):
            yield bare_name(path), path


def _submissions(folder: Path) -> list[Path]:
    visible = (path for path in sorted(folder.iterdir()) if not path.name.startswith("."))
    return [path for path in visible if path.is_dir() or is_archive(path)]


def _listed(file: Path) -> Iterator[tuple[str, Path]]:
    """Lines of NAME,PATH, a heading or none; paths count from the file's own folder."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
        rows = list(csv.reader(StringIO(text, newline=""), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise NoEntries(f"{file} cannot be read as CSV in UTF-8: {error}") from error
    for number, row in enumerate(rows, start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and [cell.lower() for cell in cells] == ["name", "path"]):
            continue
        if len(cells) != 2 or not all(cells) or "\0" in cells[1]:
            raise NoEntries(f"{file}, line {number}: write NAME,PATH.")
        yield cells[0], file.parent / cells[1]


def _unique(named: Sequence[tuple[str, Path]]) -> Iterator[Entry]:
    taken: set[str] = set()
    for raw, path in named:
        name = one_line(raw, NAME_CHARACTERS) or "unnamed"
        unique, turn = name, 1
        while file_name(unique).casefold() in taken:
            turn += 1
            unique = f"{name}-{turn}"
        taken.add(file_name(unique).casefold())
        yield Entry(unique, file_name(unique), path)


def file_name(name: str) -> str:
    """A name for a file that stands for `name` alone, whatever is in it."""
    plain = UNSAFE_IN_FILES.sub("_", name)[:60]
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
