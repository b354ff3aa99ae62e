"""What git cannot hold: each function puts it into the folder of a forgery's submission."""

import importlib.util
import marshal
import os
import socket
from collections.abc import Callable
from pathlib import Path


def link_outwards(folder: Path) -> None:
    """A link to everything, so that the grader's files appear to be the submission's."""
    (folder / "all").symlink_to("/")


def link_to_a_file(folder: Path) -> None:
    (folder / "notes.md").symlink_to("/etc/passwd")


def link_up(folder: Path) -> None:
    (folder / "up").symlink_to("../../..")


def link_in_a_circle(folder: Path) -> None:
    (folder / "round").symlink_to("round")


def pipe(folder: Path) -> None:
    """Whoever opens it waits for ever."""
    os.mkfifo(folder / "notes.md")


def unix_socket(folder: Path) -> None:
    here = Path.cwd()
    os.chdir(folder)  # an address has room for 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("control.sock")
    finally:
        os.chdir(here)


def device(folder: Path) -> None:
    """The kernel's memory, or where only root may make devices, a pipe."""
    if os.geteuid() == 0:
        os.mknod(folder / "memory", 0o20666, os.makedev(1, 1))
    else:
        pipe(folder)


def huge_tree(folder: Path) -> None:
    for number in range(6_000):
        (folder / f"{number:04}.txt").touch()


def huge_file(folder: Path) -> None:
    """As large as a disk, and on the disk nothing."""
    with (folder / "data.bin").open("wb") as file:
        file.truncate(2**38)


def deep_tree(folder: Path) -> None:
    (folder / "/".join(["d"] * 40)).mkdir(parents=True)
    (folder / "/".join(["d"] * 40) / "end.py").touch()


def _named(name: bytes) -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).touch()

    return build


name_with_newline = _named(b"a\n::error::passed\n.py")
name_with_escape = _named(b"\x1b]0;passed\x07\x1b[2J.py")
name_with_bidi = _named("\u202eyp.ssap.py".encode())
name_not_utf8 = _named(b"\xff\xfe.py")


def unchecked_pyc(folder: Path) -> None:
    """Bytecode that Python takes without looking at the source (PEP 552), for modules of the grader's."""
    code = marshal.dumps(compile("def expect(*a, **k): pass\ndef fail(*a, **k): pass\n", "check.py", "exec"))
    header = (
        importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
    )  # flags: hash-based, not checked
    for name in ("check", "conftest", "pytest", "json"):
        for place in ("__pycache__", "graders/__pycache__"):
            path = folder / place / f"{name}.{importlib.util.cache_from_source('x.py').split('.')[-2]}.pyc"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(header + code)
        (folder / "graders" / f"{name}.pyc").write_bytes(header + code)
