"""Linux namespaces of one grade's own: a loopback without an outside, and mounts that vanish with the process."""

import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x0002_0000, 0x1000_0000, 0x4000_0000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def enter(*, network: bool) -> None:
    """Leave the machine's mounts, and its network where `network` is set, for our own (unshare(2)).

    For a process of one thread. An ordinary user becomes the same user of a user namespace of his own.
    Raises OSError where the kernel refuses.
    """
    wanted = CLONE_NEWNS | (CLONE_NEWNET if network else 0)
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        _checked("unshare", wanted)
    else:
        _checked("unshare", wanted | CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    _mount("none", Path("/"), "", MS_REC | MS_PRIVATE)
    if network:
        _raise_loopback()


def bounded_folder(path: Path, *, size: int, files: int) -> None:
    """Make `path` a file system in memory of at most `size` bytes and `files` files (tmpfs(5))."""
    path.mkdir()
    _mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, f"size={size},nr_inodes={files},mode=0711")


def show_again(source: Path, target: Path) -> None:
    """Let `target` show what `source` holds, to be read only: for a user who cannot get to `source`."""
    if source.is_dir():
        target.mkdir()
    else:
        target.touch()
    _mount(str(source), target, "", MS_BIND)
    _mount("none", target, "", MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack_from("H", fcntl.ioctl(control, SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def _mount(source: str, target: Path, kind: str, flags: int, options: str = "") -> None:
    _checked("mount", source.encode(), bytes(target), kind.encode(), flags, options.encode())


def _checked(call: str, *arguments: int | bytes) -> None:
    """A call of the C library that returns -1 and sets errno. Raises OSError."""
    given = [ctypes.c_ulong(each) if isinstance(each, int) else each for each in arguments]
    if getattr(ctypes.CDLL(None, use_errno=True), call)(*given) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")
