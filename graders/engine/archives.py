"""Submissions that came as an archive: unpacked by a bounded process into a folder that lives as long as the grade."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from compose.places import run_directory
from graders.engine.caps import Caps
from graders.engine.submission import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_FILES,
    NOT_SOURCE,
    Submission,
    SubmissionRefused,
)
from graders.reports.plain import one_line
from labs.catalog import Lab

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")

# One level more than a folder may have: the one that is stripped.
CAPS = Caps(MAX_FILES, MAX_BYTES, MAX_DEPTH + 1, tuple(sorted(NOT_SOURCE)))
REMEDY = "Hand in a .zip or .tar.gz of the sources alone: plain files, each once, none of them encrypted."


def is_archive(path: Path) -> bool:
    """Whether the name says so; what is inside is looked at when it is unpacked."""
    return path.name.lower().endswith(SUFFIXES)


def bare_name(path: Path) -> str:
    """The name without an archive's suffix: `alice.tar.gz` is `alice`."""
    suffix = next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), "")
    return path.name[: -len(suffix)] if len(path.name) > len(suffix) > 0 else path.name


@contextmanager
def unpacked(submission: Submission, lab: Lab) -> Iterator[Submission]:
    """The submission with its archive unpacked for the length of the body; a folder as it is.

    Raises SubmissionRefused for what is unsafe, damaged, or past the caps.
    """
    if submission.path is None or not submission.path.is_file():
        yield submission
        return
    with run_directory() as run:  # swept by the next run, should we be killed
        folder = run.path / "submission"
        folder.mkdir(mode=0o700)
        _unpack(submission.path, folder)
        yield replace(submission, path=_top(folder, lab))


def _unpack(archive: Path, folder: Path) -> None:
    if not os.access(archive, os.R_OK):
        raise _refused(archive, "It cannot be read.")
    if archive.stat().st_size > MAX_BYTES:
        raise _refused(archive, f"It is larger than {MAX_BYTES // 2**20} MiB.")
    command = [
        sys.executable,
        "-P",
        "-m",
        "graders.engine.unpacking",
        str(archive),
        str(folder),
        CAPS.to_json(),
    ]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={"PYTHONUTF8": "1"},
        check=False,
    )
    if done.returncode == -signal.SIGXCPU:
        raise _refused(archive, "It takes too long.")
    if done.returncode:
        last = one_line(done.stderr.decode(errors="replace")[-200:])
        raise OSError(f"what unpacks {archive.name} ended with code {done.returncode}. {last}")
    told = json.loads(done.stdout)
    if "errno" in told:
        raise OSError(told["errno"], os.strerror(told["errno"]), told["file"])
    if "refused" in told:
        raise _refused(archive, told["refused"])


def _refused(archive: Path, why: str) -> SubmissionRefused:
    return SubmissionRefused(f"{archive.name} cannot be unpacked. {one_line(why, 300)}", REMEDY)


def _top(folder: Path, lab: Lab) -> Path:
    """Where the service's files begin: below the folders that an archive wraps around them, as GitHub's do."""
    found = list(folder.iterdir())
    if len(found) == 1 and found[0].is_dir() and not resembles_service([found[0].name], lab):
        return _top(found[0], lab)
    return folder


def resembles_service(names: list[str], lab: Lab) -> bool:
    """Whether one of `names` stands at the top of the reference service, too."""
    return any((lab.reference / name).exists() for name in names)
