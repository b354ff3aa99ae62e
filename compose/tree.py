"""A directory as a list of its files, and copies of it that are checked against that list."""

import errno
import os
import shutil
import stat
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from compose.identity import Identity


class Differs(Exception):
    """The directory is not what its listing says."""


@dataclass(frozen=True)
class Entry:
    """One file: its path in the tree, its size in bytes, and the second of its last change."""

    path: str
    size: int
    changed: int


@dataclass(frozen=True)
class Listing:
    """What a tree holds, parents before children."""

    directories: tuple[str, ...]
    files: tuple[Entry, ...]

    def size(self) -> int:
        """Bytes in all files."""
        return sum(file.size for file in self.files)

    def as_json(self) -> dict[str, Any]:
        """For `json.dumps`; `from_json` is the way back."""
        return asdict(self)


def from_json(value: Any) -> Listing:
    """The listing that `as_json` gave. Raises KeyError or TypeError when it is something else."""
    return Listing(tuple(value["directories"]), tuple(Entry(**file) for file in value["files"]))


def listing(root: Path) -> Listing:
    """What stands in `root` now."""
    directories, files = [], []
    for path in sorted(root.rglob("*")):
        found, name = path.stat(), str(path.relative_to(root))
        if stat.S_ISDIR(found.st_mode):
            directories.append(name)
        else:
            files.append(Entry(name, found.st_size, int(found.st_mtime)))
    return Listing(tuple(directories), tuple(files))


def copy(root: Path, expected: Listing, target: Path, identity: Identity) -> None:
    """Copy what is expected in `root` to the new directory `target`, as property of `identity`.

    Raises Differs when a file is missing or not as it was listed; OSError, for one when the disk is full.
    """
    identity.directory(target)
    for directory in expected.directories:
        identity.directory(target / directory)
    for file in expected.files:
        _copy_file(root, file, target, identity)


def _copy_file(root: Path, file: Entry, target: Path, identity: Identity) -> None:
    try:
        source = os.open(f"{root}/{file.path}", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise Differs(f"{file.path} is missing") from None
    with os.fdopen(source, "rb") as original:
        found = os.fstat(source)
        if (found.st_size, int(found.st_mtime)) != (file.size, file.changed):
            raise Differs(f"{file.path} has changed")
        written = os.open(f"{target}/{file.path}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(written, "wb") as copied:
            identity.own(written)
            _copy_bytes(original, copied, file.size)


def _copy_bytes(original: BinaryIO, copied: BinaryIO, size: int) -> None:
    """Let the kernel copy: on file systems that can, the copy shares the blocks of the original."""
    if sys.platform != "linux":
        shutil.copyfileobj(original, copied, 1024 * 1024)
        return
    left = size
    try:
        while left and (done := os.copy_file_range(original.fileno(), copied.fileno(), left)):
            left -= done
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS) or left != size:
            raise
        shutil.copyfileobj(original, copied, 1024 * 1024)
        return
    if left:
        raise Differs(f"{original.name} ended early")
