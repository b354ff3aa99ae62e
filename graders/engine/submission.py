"""A submission as files on disk: read with suspicion, laid over the reference, hashed. Nothing here runs it."""

import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from labs.catalog import Lab

MAX_FILES = 5_000
MAX_BYTES = 100 * 1024 * 1024
MAX_DEPTH = 24
MAX_PATH = 1_000  # bytes: a system takes 4096, with the folders that we lay it in
NOT_SOURCE = frozenset(
    {".git", "__pycache__", "node_modules", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
)

Kind = Literal["work", "reference", "over-reference", "patch"]


class SubmissionRefused(Exception):
    """The files cannot be graded as they are; the text says which and what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True)
class Submission:
    """Whose files are graded. `work`: laid over the reference without the lesson's files, so that a deleted file
    stays deleted. `over-reference` and `patch` are an author's fixes, laid over the whole reference."""

    kind: Kind
    path: Path | None
    name: str


def reference() -> Submission:
    return Submission("reference", None, "reference")


def from_folder(path: Path) -> Submission:
    """A learner's folder. Absolute from here on: the processes of a grade work in another directory."""
    return Submission("work", path.absolute(), str(path))


def from_fix(path: Path) -> Submission:
    """A wrong or right fix: NAME.patch against the reference, or a folder laid over it."""
    return Submission("patch" if path.is_file() else "over-reference", path, path.stem)


def examine(submission: Submission, lab: Lab) -> None:
    """Raise SubmissionRefused for what would be refused later, before anything has started."""
    if submission.kind in ("work", "over-reference"):
        with _readable():
            mine = set(_files(_folder(submission)))
        theirs = set(_files(lab.reference)) - _left_out(submission, lab)
        every = mine | theirs
        for path in sorted(every):
            if not every.isdisjoint(path.parents):
                raise _clash(path)


def lay(submission: Submission, lab: Lab, tree: Path) -> str:
    """Make the tree of one grade in the empty folder `tree` and return its hash.

    Raises SubmissionRefused for links, special files, odd names, and sizes past the caps.
    """
    left_out = _left_out(submission, lab)
    for path in _files(lab.reference):
        if path not in left_out:
            _copy(lab.reference / path, tree / path)
    if submission.kind in ("work", "over-reference"):
        with _readable():
            folder = _folder(submission)
            for path in _files(folder):
                _copy(folder / path, tree / path)
    elif submission.kind == "patch" and submission.path:
        apply(submission.path, tree)
    return tree_hash(tree)


def _left_out(submission: Submission, lab: Lab) -> set[PurePosixPath]:
    """Files of the reference that the tree does not have: a learner brings their own, or none."""
    return set(_files(lab.service)) if submission.kind == "work" else set()


def tree_hash(tree: Path) -> str:
    """SHA-256 over the sorted paths, execute bits and contents of all files below `tree`."""
    total = hashlib.sha256()
    for path in sorted(_files(tree)):
        content = hashlib.sha256((tree / path).read_bytes()).hexdigest()
        executable = bool((tree / path).stat().st_mode & stat.S_IXUSR)
        total.update(f"{path.as_posix()}\0{executable:d}\0{content}\n".encode())
    return total.hexdigest()


@contextmanager
def _readable() -> Iterator[None]:
    """What its owner does not let us read is for its owner to mend, and no fault of the machine."""
    try:
        yield
    except PermissionError as error:
        raise SubmissionRefused(
            f"{error.filename} cannot be read: {error.strerror}.", "Allow it: chmod -R u+rX, on your folder."
        ) from error


def _folder(submission: Submission) -> Path:
    path = submission.path
    if path is None or not path.is_dir():
        raise SubmissionRefused(f"There is no folder {path}.", "Give the folder that holds your files.")
    if not any(path.iterdir()):
        raise SubmissionRefused(
            f"The folder {path} is empty.", "`octo_lab reset` puts the lesson's files back."
        )
    return path


def _files(root: Path) -> list[PurePosixPath]:
    """All regular files below `root`, relative to it."""
    found: list[PurePosixPath] = []
    folders: set[PurePosixPath] = set()
    size = 0
    for entry, path in _walk(root, PurePosixPath()):
        info = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(info.st_mode):
            raise SubmissionRefused(
                f"{_shown(path)} is not a regular file (links and special files are refused).",
                "Replace it with a copy of what it points to.",
            )
        size += info.st_size
        found.append(path)
        folders.update(path.parents)
        if len(found) + len(folders) > MAX_FILES or size > MAX_BYTES:
            raise SubmissionRefused(
                f"{root} holds more than {MAX_FILES} files and folders or {MAX_BYTES // 2**20} MiB.",
                "Hand in sources only: no dependencies, no data, no build output.",
            )
    return found


def _walk(folder: Path, inside: PurePosixPath) -> Iterator[tuple[os.DirEntry[str], PurePosixPath]]:
    if len(inside.parts) > MAX_DEPTH or len(os.fsencode(inside)) > MAX_PATH:
        how = f"Keep within {MAX_DEPTH} levels and {MAX_PATH} bytes."
        raise SubmissionRefused(f"{_shown(inside)[:200]} is nested too deep.", how)
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            if entry.name in NOT_SOURCE:
                continue
            path = inside / entry.name
            if not entry.name.isprintable():
                raise SubmissionRefused(
                    f"{_shown(path)} has a name that cannot be shown.", "Rename the file."
                )
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path), path)
            else:
                yield entry, path


def _shown(path: PurePosixPath) -> str:
    return repr(str(path)) if not str(path).isprintable() else str(path)


def _copy(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target, follow_symlinks=False)
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise _clash(source) from error
    target.chmod(0o755 if source.stat().st_mode & stat.S_IXUSR else 0o644)


def _clash(path: Path | PurePosixPath) -> SubmissionRefused:
    return SubmissionRefused(
        f"{path} is a file where the service has a folder, or the other way round.", "Rename it."
    )


def apply(patch: Path, tree: Path, *, only_look: bool = False) -> None:
    """Change `tree` by the patch, or only see whether that is possible. Raises SubmissionRefused."""
    # The ceiling keeps git from finding a repository around the tree and applying nothing, silently.
    done = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", *(["--check"] if only_look else []), str(patch.resolve())],
        cwd=tree,
        env={"PATH": os.environ.get("PATH", ""), "GIT_CEILING_DIRECTORIES": str(tree.resolve().parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SubmissionRefused(
            f"{patch.name} does not apply to the reference: {done.stderr.strip()}",
            "Make the patch again from the reference as it is now.",
        )
