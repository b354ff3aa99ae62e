"""What stands in an archive of a stranger's: zip and tar as one stream of members. Nothing is written here."""

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Literal, cast

Kind = Literal["file", "folder", "other"]

UNPACKERS = {b"\x1f\x8b": gzip.GzipFile, b"BZh": bz2.BZ2File, b"\xfd7zXZ\0": lzma.LZMAFile}
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
ZIP_HEADER = 30


class Refused(Exception):
    """The archive is not unpacked; the text says why."""


@dataclass(frozen=True)
class Member:
    """One entry of an archive; `size` as it is announced, `content` opens its bytes."""

    name: str
    kind: Kind
    size: int
    executable: bool
    content: Callable[[], IO[bytes]]


def members(archive: Path, most_bytes: int) -> Iterator[Member]:
    """All entries in their order; each is read before the next is asked for. `most_bytes`: of a tar, unpacked.

    Raises Refused, and whatever zipfile and tarfile stumble over.
    """
    with archive.open("rb") as file:
        start = file.read(512)
    if start.startswith(ZIP_STARTS):
        return _zip_members(archive)
    for magic, unpacker in UNPACKERS.items():
        if start.startswith(magic):
            return _tar_members(cast(IO[bytes], unpacker(archive)), most_bytes)
    if start[257:262] == b"ustar":
        return _tar_members(archive.open("rb"), most_bytes)
    raise Refused("It is no archive that is known here.")


def shown(name: str) -> str:
    """A name for a sentence: visible, and cut where it is long."""
    short = name if len(name) <= 80 else f"{name[:60]} … ({len(name)} characters)"
    return short if short.isprintable() else ascii(short)


# --- zip ----------------------------------------------------------------------------------------------------


def _zip_members(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        _expect_apart(entries)
        for entry in entries:
            name = _zip_name(entry)
            mode = entry.external_attr >> 16 if entry.create_system == 3 else 0
            yield Member(
                name=name,
                kind=_zip_kind(entry, name, stat.S_IFMT(mode)),
                size=entry.file_size,
                executable=bool(mode & stat.S_IXUSR),
                content=lambda entry=entry: archive.open(entry),  # type: ignore[misc]
            )


def _expect_apart(entries: list[zipfile.ZipInfo]) -> None:
    """Entries that share their bytes are how a small zip becomes a huge one (D. Fifield, WOOT 2019)."""
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    for one, following in pairwise(ordered):
        if one.header_offset + ZIP_HEADER + one.compress_size > following.header_offset:
            raise Refused(f"{shown(one.filename)} and {shown(following.filename)} overlap.")


def _zip_kind(entry: zipfile.ZipInfo, name: str, form: int) -> Kind:
    encrypted = entry.flag_bits & 0x1
    if encrypted or form not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "other"
    return "folder" if name.endswith("/") else "file"


def _zip_name(entry: zipfile.ZipInfo) -> str:
    """The name as it was meant: UTF-8 also where the flag for it was forgotten, and no backslashes of Windows."""
    name = entry.orig_filename
    if not entry.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode()
        except UnicodeDecodeError:
            raise Refused(f"{shown(name)} is not UTF-8.") from None
    return name.replace("\\", "/") if entry.create_system == 0 else name


# --- tar ----------------------------------------------------------------------------------------------------


@dataclass
class Stream:
    """The unpacked bytes of a tar, up to `cap` of them; knows the last piece that was read."""

    source: IO[bytes]
    cap: int
    start: int = 0
    piece: bytes = b""

    def read(self, size: int) -> bytes:
        self.start += len(self.piece)
        self.piece = self.source.read(size)
        if self.start + len(self.piece) > self.cap:
            raise Refused(f"It unpacks to more than {self.cap // 2**20} MiB.")
        return self.piece

    def block(self, offset: int) -> bytes:
        return self.piece[offset - self.start :][: tarfile.BLOCKSIZE]


def _tar_members(source: IO[bytes], most_bytes: int) -> Iterator[Member]:
    stream = Stream(source, most_bytes)
    with closing(source), tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|") as archive:
        for entry in archive:
            yield Member(
                name=entry.name,
                kind=_tar_kind(entry),
                size=entry.size,
                executable=bool(entry.mode & stat.S_IXUSR),
                content=lambda entry=entry: cast(IO[bytes], archive.extractfile(entry)),  # type: ignore[misc]
            )
        # tarfile takes a broken header for the end: the true end is a block of zeros.
        if stream.block(archive.offset) != bytes(tarfile.BLOCKSIZE):
            raise Refused("It is damaged or cut off.")


def _tar_kind(entry: tarfile.TarInfo) -> Kind:
    if entry.isdir():
        return "folder"
    return "file" if entry.isreg() and not entry.issparse() else "other"
