"""Builds the zip that Gradescope makes an autograder of: two scripts, and the kit as far as one lesson needs it."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from labs.catalog import Lab

CODE = Path(__file__).resolve().parents[2]
SCRIPTS = Path(__file__).with_name("gradescope")

TOP = ("octo_lab.py", "pyproject.toml", "requirements.txt", "README.md", "LICENSE")
ROOMS = ("compose", "graders/engine", "graders/probes", "graders/reports")
MODULES = (
    "graders/__init__.py",
    "graders/check.py",
    "labs/__init__.py",
    "labs/catalog.py",
    "labs/lab.schema.json",
)
# What proves a lesson holds its answers, and no grade reads it.
PROOFS = {"wrong_fixes", "right_fixes", "transcripts", "fixes.toml", "published_checks.txt"}
LEFTOVERS = {"__pycache__", "node_modules"}

LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold: equal files make an equal zip
FILE, PROGRAM = 0o100644 << 16, 0o100755 << 16


def build(lab: Lab) -> bytes:
    """The zip. The same kit and lesson give the same bytes."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name in ("run_autograder", "setup.sh"):
            script = (SCRIPTS / name).read_text("utf-8").replace("@LESSON@", lab.id)
            _add(zipped, name, script.encode(), PROGRAM)
        for name, path in sorted(_kit(lab)):
            _add(zipped, f"kit/{name}", path.read_bytes(), FILE)
    return archive.getvalue()


def _add(zipped: zipfile.ZipFile, name: str, content: bytes, mode: int) -> None:
    entry = zipfile.ZipInfo(name, LONG_AGO)
    entry.external_attr = mode
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # Unix, or the modes mean nothing
    zipped.writestr(entry, content)


def _kit(lab: Lab) -> Iterator[tuple[str, Path]]:
    """Name in the kit, and file, of everything that a grade of `lab` reads."""
    for name in (*TOP, *MODULES):
        yield name, CODE / name
    for room in ROOMS:
        yield from _files(CODE / room, CODE)
    for folder in (lab.folder, lab.grader, lab.reference):  # the lessons may be a school's own
        yield from _files(folder, lab.kit)


def _files(folder: Path, root: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and not _left_out(path.relative_to(folder).parts):
            yield path.relative_to(root).as_posix(), path


def _left_out(parts: tuple[str, ...]) -> bool:
    return any(part in PROOFS | LEFTOVERS or part.startswith(".") or part.endswith(".pyc") for part in parts)
