"""Unpacks one archive of a stranger's into an empty folder, member by member. Run as a process of its own, by `archives`.

zipfile and tarfile only name the members and give their bytes; every file is made here, so what is not written below
cannot happen. Standard library alone, since it starts once an archive.
"""

import json
import os
import re
import resource
import sys
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graders.engine.archive_members import Kind, Member, Refused, members, shown
from graders.engine.caps import Caps

CHUNK = 64 * 1024
NAME_BYTES, PATH_BYTES = 255, 1024
# What packs better than this, past a size where spaces and zeros are an accident, is a bomb.
RATIO, RATIO_FROM = 100, 1024 * 1024
# What is left out (node_modules, .git) still has to be read past.
SEEN_TIMES = 20
STREAM_TIMES = 4
MEMORY, CPU_SECONDS = 256 * 1024 * 1024, 60

MAC_CRUMBS = frozenset({"__MACOSX", ".DS_Store"})


@dataclass
class Target:
    """The folder to fill, and what was taken so far. `packed` is the size of the archive, in bytes."""

    folder: Path
    caps: Caps
    packed: int
    files: int = 0
    bytes: int = 0
    taken: dict[str, tuple[str, Kind]] = field(default_factory=dict)

    def add(self, member: Member) -> None:
        """Write one member. Raises Refused."""
        parts = parts_of(member.name)
        if not parts or not MAC_CRUMBS.union(self.caps.left_out).isdisjoint(parts):
            return
        if member.kind == "other":
            raise Refused(
                f"{shown(member.name)} is a link, a device or encrypted: only plain files and folders."
            )
        if len(parts) > self.caps.depth:
            raise Refused(f"{shown(member.name)} is nested deeper than {self.caps.depth} levels.")
        self._claim(parts, member.kind)
        path = self.folder.joinpath(*parts)
        if member.kind == "folder":
            path.mkdir(parents=True, exist_ok=True)
        else:
            self._write(member, path)

    def _claim(self, parts: list[str], kind: Kind) -> None:
        """Each path once, also where upper and lower case are one; a file is no folder."""
        for length in range(1, len(parts) + 1):
            path = "/".join(parts[:length])
            mine: tuple[str, Kind] = (path, kind if length == len(parts) else "folder")
            before = self.taken.setdefault(unicodedata.normalize("NFC", path).casefold(), mine)
            if before is not mine and (before != mine or mine[1] == "file"):
                raise Refused(f"{shown(path)} is there twice: as {shown(before[0])}, too.")

    def _write(self, member: Member, path: Path) -> None:
        self.files += 1
        self._expect_room(member.size)
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = 0o700 if member.executable else 0o600
        with (
            member.content() as source,
            open(path, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file,
        ):
            while chunk := source.read(CHUNK):
                self._expect_room(len(chunk))
                self.bytes += len(chunk)
                file.write(chunk)

    def _expect_room(self, more: int) -> None:
        size = self.bytes + more
        if self.files > self.caps.files or size > self.caps.bytes:
            raise Refused(f"It holds more than {self.caps.files} files or {self.caps.bytes // 2**20} MiB.")
        if size > max(RATIO_FROM, RATIO * self.packed):
            raise Refused(f"It unpacks to more than {RATIO} times its size.")


def parts_of(name: str) -> list[str]:
    """The steps of a member's path below the target. Raises Refused for one that leads elsewhere or cannot be shown."""
    if not name.isprintable():
        raise Refused(f"{shown(name)} has a name that cannot be shown.")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or re.match(r"[A-Za-z]:[/\\]", name) or ".." in parts:
        raise Refused(f"{shown(name)} leads out of the archive.")
    if len(name.encode()) > PATH_BYTES or any(len(part.encode()) > NAME_BYTES for part in parts):
        raise Refused(f"{shown(name)} is too long a name.")
    return parts


def unpack(archive: Path, folder: Path, caps: Caps) -> None:
    """Fill the empty `folder`. Raises Refused; OSError where the machine is to blame."""
    target = Target(folder, caps, archive.stat().st_size)
    for seen, member in enumerate(members(archive, STREAM_TIMES * caps.bytes)):
        if seen >= SEEN_TIMES * caps.files:
            raise Refused(f"It lists more than {SEEN_TIMES * caps.files} files.")
        target.add(member)
    if not target.files:
        raise Refused("It holds no files.")


def main(archive: str, folder: str, caps: str) -> dict[str, Any]:
    """Unpack within limits of this process. What is told: `{}`, or `refused` with why, or `errno` of the machine."""
    with suppress(ValueError, OSError):  # macOS does not bound memory
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))  # first SIGXCPU, which tells
    try:
        unpack(Path(archive), Path(folder), Caps.from_json(caps))
    except Refused as error:
        return {"refused": str(error)}
    except MemoryError:
        return {"refused": f"It needs more than {MEMORY // 2**20} MiB of memory to unpack."}
    except OSError as error:
        if error.errno is None:  # bz2 and gzip say so of bad data
            return {"refused": f"It is damaged or cut off ({error})."}
        return {"errno": error.errno, "file": str(error.filename)}
    except Exception as error:  # it is a stranger's: whatever the readers stumble over is its own fault
        return {"refused": f"It is damaged or cut off ({type(error).__name__}: {error})."}
    return {}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
