"""The file with the key that reports are signed with: made, and read only where nobody else can read it.

A submission must not come near the key. So it is in no environment and no argument, the keeper and all below it are never
told of it, and a report is signed in the process of the command line, after the submission's processes are dead. A
submission that ran as the very user who owns the file could have read it: such a report is not signed.
"""

import os
import secrets
import stat
from pathlib import Path

from graders.reports.json_report import dumps
from graders.reports.model import Report

LEAST_BYTES = 32


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


def read(file: Path) -> bytes:
    """The key: the file's bytes without white space at its end. Raises KeyUnusable."""
    try:
        with file.open("rb") as opened:
            form = os.fstat(opened.fileno())
            if not stat.S_ISREG(form.st_mode):
                raise KeyUnusable(f"{file} is not a plain file.")
            if form.st_mode & 0o077:
                raise KeyUnusable(f"Others may read or write {file}. Close it: chmod 600 {file}")
            key = opened.read(64 * 1024).rstrip()
    except OSError as error:
        raise KeyUnusable(
            f"{file} cannot be read: {error.strerror}. Make a key: octo_lab keygen {file}"
        ) from error
    if len(key) < LEAST_BYTES:
        raise KeyUnusable(
            f"{file} holds {len(key)} bytes, and a key has at least {LEAST_BYTES}: octo_lab keygen FILE."
        )
    return key


def signed_document(report: Report, file: Path) -> str:
    """The report as signed JSON. Raises KeyUnusable, and NotSigned."""
    if report.isolation.startswith("none:"):
        raise NotSigned(
            "The report is not signed: the submission ran as you and could have read the key. "
            "Grade with isolation (`octo_lab doctor`), or sign where no submission runs."
        )
    return dumps(report, read(file))
