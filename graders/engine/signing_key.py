"""The file with the key that reports are signed with: made, and read only where nobody else can read it.

A submission must not come near the key. So it is in no environment and no argument; the keeper and all below it are never
told of it; only the process of the command line reads it, which an isolated submission can neither see nor trace; and a
single grade reads it when the submission's processes are dead. A submission that ran as the very user who owns the file
could have read it: such a report is not signed.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from graders.reports.json_report import dumps
from graders.reports.model import Report

LEAST_BYTES = 32
NOTHING_RAN = ("none", "none: nothing of it ran")


class KeyUnusable(Exception):
    """The key cannot be used or made; the text says why and what to do."""


class NotSigned(Exception):
    """The submission could have read the key: a signature would prove nothing."""


def make(file: Path) -> None:
    """A new key of 256 random bits in a new file that only its owner can read. Raises KeyUnusable."""
    try:
        made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise KeyUnusable(
            f"{file} cannot be made: {error.strerror}. A key that is there is never replaced."
        ) from error
    with os.fdopen(made, "w") as key:
        key.write(f"{secrets.token_hex(LEAST_BYTES)}\n")


def expect_usable(file: Path) -> None:
    """Look at the file, not into it, so that a mistake shows before a grade. Raises KeyUnusable."""
    with _opened(file):
        pass


def read(file: Path) -> bytes:
    """The key: the file's bytes without white space at its end. Raises KeyUnusable."""
    with _opened(file) as opened:
        key = opened.read(64 * 1024).rstrip()
    if len(key) < LEAST_BYTES:
        raise _too_short(file, len(key))
    return key


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    try:
        if not file.is_file():
            raise KeyUnusable(f"There is no file {file}. Make a key: octo_lab keygen {file}")
        with file.open("rb") as opened:
            found = os.fstat(opened.fileno())
            if found.st_mode & 0o077:
                raise KeyUnusable(f"Others may read or write {file}. Close it: chmod 600 {file}")
            if found.st_size < LEAST_BYTES:
                raise _too_short(file, found.st_size)
            yield opened
    except OSError as error:
        raise KeyUnusable(f"{file} cannot be read: {error.strerror}.") from error


def _too_short(file: Path, size: int) -> KeyUnusable:
    return KeyUnusable(
        f"{file} holds {size} bytes, and a key has at least {LEAST_BYTES}: octo_lab keygen NEW-FILE."
    )


def signed_document(report: Report, file: Path) -> str:
    """The report as signed JSON. Raises KeyUnusable, and NotSigned."""
    if report.isolation.startswith("none") and report.isolation not in NOTHING_RAN:
        raise NotSigned(
            "The report is not signed: the submission ran as you and could have read the key. "
            "Grade as root, or with a sandbox: `octo_lab doctor` shows what there is."
        )
    return dumps(report, read(file))
