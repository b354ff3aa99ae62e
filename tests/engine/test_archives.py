"""Archives of strangers: what is fine comes out as it was, and everything else is refused with its reason."""

import bz2
import gzip
import io
import lzma
import shutil
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from graders.engine import archives
from graders.engine.archives import bare_name, unpacked
from graders.engine.submission import SubmissionRefused, from_folder
from graders.engine.unpacking import MEMORY
from labs.catalog import Lab

MIB = 2**20
FILES = {"web.py": b"print('hello')\n", "lib/\N{LATIN SMALL LETTER U WITH DIAERESIS}ber.py": b"x = 1\n"}
PLAIN = {"web.py": b""}

Contents = dict[str, bytes]


def unpacked_files(archive: Path, lab: Lab) -> Contents:
    with unpacked(from_folder(archive), lab) as submission:
        folder = submission.path
        assert folder is not None
        return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def refusal(archive: Path, lab: Lab) -> str:
    with pytest.raises(SubmissionRefused) as refused, unpacked(from_folder(archive), lab):
        pytest.fail("it was unpacked")
    assert archive.name in refused.value.problem
    return refused.value.problem


def zipped(path: Path, files: Contents, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, *members: tarfile.TarInfo | tuple[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return path


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"])
def test_a_tar_comes_out_as_it_was(suffix: str, lab: Lab, tmp_path: Path) -> None:
    packing = {".gz": "gz", ".tgz": "gz", ".bz2": "bz2", ".xz": "xz"}.get(suffix[suffix.rfind(".") :], "")
    archive = tarred(tmp_path / f"alice{suffix}", *FILES.items(), mode=f"w:{packing}")
    assert unpacked_files(archive, lab) == FILES
    assert bare_name(archive) == "alice"


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_zip_comes_out_as_it_was(method: int, lab: Lab, tmp_path: Path) -> None:
    assert unpacked_files(zipped(tmp_path / "alice.zip", FILES, method), lab) == FILES


def test_what_is_inside_decides_and_not_the_name(lab: Lab, tmp_path: Path) -> None:
    archive = tarred(tmp_path / "alice.zip", *FILES.items())
    assert unpacked_files(archive, lab) == FILES


def test_a_folder_around_everything_is_taken_off(lab: Lab, tmp_path: Path) -> None:
    wrapped = {f"billing-main/src/{name}": content for name, content in FILES.items()}
    assert unpacked_files(zipped(tmp_path / "a.zip", wrapped), lab) == FILES


def test_a_folder_of_the_services_own_is_not(lab: Lab, tmp_path: Path) -> None:
    (lab.reference / "lib").mkdir()
    assert unpacked_files(zipped(tmp_path / "a.zip", {"lib/x.py": b""}), lab) == {"lib/x.py": b""}


def test_crumbs_and_dependencies_are_left_out(lab: Lab, tmp_path: Path) -> None:
    crumbs = {"__MACOSX/._web.py": b"", ".DS_Store": b"", "node_modules/x/x.js": b"", ".git/HEAD": b""}
    assert unpacked_files(zipped(tmp_path / "a.zip", FILES | crumbs), lab) == FILES
    linked = special("node_modules/.bin/x", tarfile.SYMTYPE, "/etc/passwd")
    assert unpacked_files(tarred(tmp_path / "a.tgz", linked, *FILES.items()), lab) == FILES


def test_a_program_stays_one(lab: Lab, tmp_path: Path) -> None:
    info = special("run", tarfile.REGTYPE)
    info.mode = 0o4777
    with unpacked(from_folder(tarred(tmp_path / "a.tgz", info, ("web.py", b""))), lab) as submission:
        assert submission.path is not None
        assert (submission.path / "run").stat().st_mode & 0o7777 == 0o700, "and nothing more than that"


def test_nothing_is_left_of_it(lab: Lab, tmp_path: Path) -> None:
    with unpacked(from_folder(zipped(tmp_path / "a.zip", FILES)), lab) as submission:
        folder = submission.path
    assert folder is not None
    assert not folder.exists()


@pytest.mark.parametrize(
    ("member", "said"),
    [
        (("../web.py", b""), "leads out"),
        (("lib/../../web.py", b""), "leads out"),
        (("/etc/cron.d/x", b""), "leads out"),
        (("C:/windows/x", b""), "leads out"),
        (("we\nb.py", b""), "cannot be shown"),
        (("\x1b[31mweb.py", b""), "cannot be shown"),
        (("\N{RIGHT-TO-LEFT OVERRIDE}yp.web", b""), "cannot be shown"),
        (("\udcff.py", b""), "cannot be shown"),
        (("x" * 256, b""), "too long a name"),
        (("/".join("d" * 30), b""), "nested deeper"),
        (("/".join(["d" * 200] * 6), b""), "too long a name"),
        (("web.py", b"again"), "twice"),
        (("WEB.py", b""), "twice"),
        (("web.py/x", b""), "twice"),
        (special("s", tarfile.SYMTYPE, "/etc/passwd"), "link"),
        (special("s", tarfile.LNKTYPE, "web.py"), "link"),
        (special("s", tarfile.CHRTYPE), "device"),
        (special("s", tarfile.BLKTYPE), "device"),
        (special("s", tarfile.FIFOTYPE), "link, a device"),
    ],
)
def test_a_member_that_is_no_plain_file_is_refused(
    member: tuple[str, bytes] | tarfile.TarInfo, said: str, lab: Lab, tmp_path: Path
) -> None:
    told = refusal(tarred(tmp_path / "a.tar.gz", ("web.py", b""), member), lab)
    assert said in told
    assert told.isprintable()


def zip_with_a_link(path: Path) -> None:
    info = zipfile.ZipInfo("s")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "/etc/passwd")


def zip_encrypted(path: Path) -> None:
    zipped(path, PLAIN)
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)


def zip_that_overlaps(path: Path) -> None:
    zipped(path, {"a": b"x" * 1000, "b": b"y" * 1000}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    second = data.rindex(b"PK\x01\x02")
    struct.pack_into("<L", data, second + 42, 0)
    path.write_bytes(data)


def zip_that_lies_of_its_size(path: Path) -> None:
    """It announces a byte and holds 50 MiB: what is read is checked against the announcement."""
    zipped(path, {"zeros": bytes(50 * MIB)})
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.rindex(b"PK\x01\x02") + 24, 1)
    path.write_bytes(data)


def zip_bomb(path: Path) -> None:
    zipped(path, {f"zeros-{n}": bytes(20 * MIB) for n in range(5)})


def zip_of_many(path: Path) -> None:
    zipped(path, {f"{n}": b"" for n in range(5_001)})


def zip_of_nothing(path: Path) -> None:
    zipped(path, {})


def zip_of_folders(path: Path) -> None:
    zipped(path, {"a/": b"", "b/": b""})


def zip_cut_off(path: Path) -> None:
    zipped(path, {"web.py": b"x" * 10_000})
    path.write_bytes(path.read_bytes()[:-30])


def zip_damaged(path: Path) -> None:
    zipped(path, {"web.py": b"x" * 10_000}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"xxxx", b"xxxy", 1))


def gzip_bomb(path: Path) -> None:
    with gzip.open(path, "wb", 1) as packed, tarfile.open(fileobj=packed, mode="w|") as archive:
        info = tarfile.TarInfo("zeros")
        info.size = 50 * MIB
        archive.addfile(info, io.BytesIO(bytes(info.size)))


def gzip_bomb_in_what_is_left_out(path: Path) -> None:
    with gzip.open(path, "wb", 1) as packed, tarfile.open(fileobj=packed, mode="w|") as archive:
        for number in range(5):
            info = tarfile.TarInfo(f"node_modules/{number}")
            info.size = 99 * MIB
            archive.addfile(info, io.BytesIO(bytes(info.size)))


def tar_with_an_endless_name(path: Path) -> None:
    """The name in a header of its own, which tarfile reads into memory."""
    head = special("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    head.size = 2 * MEMORY
    with gzip.open(path, "wb", 1) as packed:
        packed.write(head.tobuf(tarfile.GNU_FORMAT))
        for _ in range(head.size // MIB):
            packed.write(b"a" * MIB)


def tar_sparse(path: Path) -> None:
    tarred(path, special("hole", tarfile.GNUTYPE_SPARSE))


def tar_cut_off(path: Path) -> None:
    tarred(path, ("web.py", b"x" * 100_000), mode="w")
    path.write_bytes(path.read_bytes()[:50_000])


def tar_cut_between_two(path: Path) -> None:
    tarred(path, ("a", b"x" * 512), ("b", b"y"), mode="w")
    path.write_bytes(path.read_bytes()[:1024])


def tar_with_a_broken_header(path: Path) -> None:
    tarred(path, ("a", b"x" * 512), ("b", b"y"), mode="w")
    data = bytearray(path.read_bytes())
    data[1024] ^= 1
    path.write_bytes(data)


def gzip_cut_off(path: Path) -> None:
    tarred(path, ("web.py", bytes(range(256)) * 1000))
    path.write_bytes(path.read_bytes()[:-100])


def xz_with_a_huge_dictionary(path: Path) -> None:
    """The header of the block asks for 1.5 GiB, of which nothing is used (.xz file format, 5.3.1)."""
    plain = tarred(path.with_suffix(".plain"), ("web.py", b""), mode="w").read_bytes()
    data = bytearray(lzma.compress(plain))
    block = slice(12, 12 + (data[12] + 1) * 4)
    header = data[block]
    header[4] = 37
    struct.pack_into("<L", header, len(header) - 4, zlib.crc32(header[:-4]))
    data[block] = header
    path.write_bytes(data)


def no_archive(path: Path) -> None:
    path.write_text("print('hello')\n")


def only_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(b"print('hello')\n" * 100))


def bad_bzip2(path: Path) -> None:
    path.write_bytes(bz2.compress(b"x" * 1000)[:20] + b"\0" * 100)


def empty(path: Path) -> None:
    path.touch()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (zip_with_a_link, "link"),
        (zip_encrypted, "encrypted"),
        (zip_that_overlaps, "overlap"),
        (zip_that_lies_of_its_size, "damaged"),
        (zip_bomb, "100 times its size"),
        (zip_of_many, "more than 5000 files"),
        (zip_of_nothing, "no files"),
        (zip_of_folders, "no files"),
        (zip_cut_off, "damaged or cut off"),
        (zip_damaged, "damaged or cut off"),
        (gzip_bomb, "100 times its size"),
        (gzip_bomb_in_what_is_left_out, "more than 400 MiB"),
        (tar_with_an_endless_name, "256 MiB of memory"),
        (tar_sparse, "link, a device"),
        (tar_cut_off, "damaged or cut off"),
        (tar_cut_between_two, "damaged or cut off"),
        (tar_with_a_broken_header, "damaged or cut off"),
        (gzip_cut_off, "damaged or cut off"),
        (xz_with_a_huge_dictionary, "256 MiB of memory"),
        (no_archive, "no archive"),
        (only_gzip, "damaged or cut off"),
        (bad_bzip2, "damaged or cut off"),
        (empty, "no archive"),
    ],
)
def test_what_is_unsafe_or_damaged_is_refused(
    make: Callable[[Path], None], said: str, lab: Lab, tmp_path: Path
) -> None:
    archive = tmp_path / "alice.zip"
    make(archive)
    assert said in refusal(archive, lab)


def test_an_archive_past_the_cap_is_not_even_opened(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_BYTES", 10)
    assert "larger than" in refusal(zipped(tmp_path / "a.zip", FILES), lab)


def test_an_unpacker_that_dies_is_no_fault_of_the_submission(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with (
        pytest.raises(OSError, match="ended with code 1"),
        unpacked(from_folder(zipped(tmp_path / "a.zip", FILES)), lab),
    ):
        pytest.fail("it was unpacked")
