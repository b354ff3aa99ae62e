"""Takes all there is of something, until it is refused or some seconds have passed. Does nothing where it is not shut in.

Usage: python forged_hog.py TRICK
"""

import contextlib
import ctypes
import glob
import mmap
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

MIB = bytes(2**20)
NORESERVE = 0x4000
MOST = 2**30 + 2**29 + 2**28  # well above what anybody may have, well below what a machine has
BESIDE = ("forks", "connections", "local-ports", "processor")  # the real service
SCRATCH = Path(os.environ["HOME"])


def shut_in() -> bool:
    """Whoever sees the canary sees the host: there we would harm people, not a sandbox."""
    return not glob.glob("/tmp/octo-canary-*") and not glob.glob(f"{tempfile.gettempdir()}/octo-canary-*")


def won(what: str, most: int = MOST) -> None:
    """More was taken than anybody may have, and nobody minded for a while."""
    time.sleep(4)
    print(f"loot: {most // 2**20} MiB of {what}", flush=True)
    os._exit(1)


def memory(most: int = MOST) -> None:
    held = []
    for _ in range(most // (16 * 2**20)):
        held.append(bytearray(b"x" * (16 * 2**20)))
    won("memory", most)


def memory_in_many():
    """What one process may not hold, sixteen may."""
    read, write = os.pipe()
    for _ in range(16):
        if os.fork() == 0:
            held = b"x" * (MOST // 16)
            os.write(write, held[:1])
            signal.pause()
    for _ in range(16):  # one that was ended says nothing: then we wait in vain, until we are ended, too
        os.read(read, 1)
    time.sleep(4)
    if os.waitpid(-1, os.WNOHANG) == (0, 0):  # none of them has been ended
        won("memory in many processes")


def anonymous_files():
    held = []
    for _ in range(MOST // (64 * 2**20)):
        held.append(os.memfd_create("hog"))
        for _ in range(64):
            os.write(held[-1], MIB)
    won("files without a name")


def anonymous_maps():
    held = []
    for _ in range(MOST // (64 * 2**20)):
        held.append(mmap.mmap(-1, 64 * 2**20))
        held[-1].write(64 * MIB)
    won("shared maps")


def maps_handed_on():
    """Each child fills a part and goes; only its parent holds it then, who has never looked at a page of it."""
    part = 128 * 2**20
    held = mmap.mmap(-1, MOST)
    for start in range(0, MOST, part):
        if (child := os.fork()) == 0:
            held[start : start + part] = bytes(part)
            os._exit(0)
        os.waitpid(child, 0)
    won("maps that nobody has in his books")


def page_tables():
    """A table of 4 kB for every page that is looked at, where they lie 2 MiB apart."""
    held = mmap.mmap(-1, 2**40, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NORESERVE, prot=mmap.PROT_READ)
    held.madvise(15)  # MADV_NOHUGEPAGE
    for place in range(0, (MOST // 4096) * 2**21, 2**21):
        held[place]
    won("page tables")


def shared_memory():
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    for _ in range(MOST // (64 * 2**20)):
        if (segment := libc.shmget(0, 64 * 2**20, 0o1600)) < 0:
            return
        place = libc.shmat(segment, None, 0)
        if place not in (None, ctypes.c_void_p(-1).value):
            ctypes.memset(place, 1, 64 * 2**20)
    won("shared memory")


def sockets():
    """The kernel's own memory: every socket holds what nobody reads. Six processes, each with all it may open."""
    parent = os.getpid()
    for _ in range(5):
        if os.fork() == 0:
            break
    held = []
    with contextlib.suppress(OSError):
        while True:
            pair = socket.socketpair()
            held.append(pair)
            pair[0].setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    pair[0].send(MIB)
    if os.getpid() != parent:
        time.sleep(10)
        os._exit(0)
    if len(held) > 1000:
        won("the kernel's memory, in sockets", 6 * len(held) * 212_992)


def fill(folder: Path):
    number = 0
    while True:
        number += 1
        with open(folder / f"hog-{number}", "wb") as file:
            for _ in range(128):
                file.write(MIB)


def disk_tree():
    fill(Path.cwd())


def disk_scratch():
    fill(SCRATCH)


def disk_shm():
    fill(Path("/dev/shm"))


def disk_tmp():
    fill(Path("/tmp"))


def hole():
    """A file of a tebibyte that takes no room, for whoever copies or reads it."""
    with open("decisions-huge.md", "wb") as file, contextlib.suppress(OSError):
        file.truncate(2**40)


def inodes():
    number = 0
    while True:
        folder = SCRATCH / f"{number // 10_000}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}").touch()
        number += 1


def deep_tree():
    while True:
        os.mkdir("d")
        os.chdir("d")


def forks():
    """As many as there can be. Once refused, each waits: to spin, too, is the trick of `processor`."""
    while True:
        try:
            os.fork()
        except OSError:
            time.sleep(1)


def threads():
    while True:
        threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()


def descriptors():
    held = []
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
        held.append(os.pipe())


def connections():
    """Every connection that the stores would have given to others, the grader among them."""
    import re

    addresses = [re.findall(r"@([^:/]+):(\d+)", os.environ.get(name, "")) for name in ("DATABASE_URL", "CACHE_URL")]
    held = []
    while True:
        for host, port in (each[0] for each in addresses if each):
            with contextlib.suppress(OSError):
                held.append(socket.create_connection((host, int(port)), timeout=0.5))


def local_ports():
    """Listens on every port that is free, so that nothing else can."""
    held = []
    for port in range(1024, 65_536):
        with contextlib.suppress(OSError):
            held.append(socket.create_server(("127.0.0.1", port), backlog=1))
    time.sleep(3600)


def log_lines():
    while True:
        with contextlib.suppress(OSError):
            os.write(1, b'{"level": "error", "message": "%s"}\n' % (b"flood " * 30) * 300)


def log_one_line():
    while True:
        with contextlib.suppress(OSError):
            os.write(1, b"x" * 65_536)


def log_zeros():
    while True:
        with contextlib.suppress(OSError):
            os.write(1, bytes(60_000) + b"\n")


def processor():
    for _ in range(os.cpu_count() or 1):
        if os.fork() == 0:
            while True:
                pass
    time.sleep(3600)


def kill_everybody():
    """kill(2) with -1: all whom we may signal."""
    for number in (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
        with contextlib.suppress(OSError):
            os.kill(-1, number)


def kill_each():
    me = os.getpid()
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in (1, me, os.getppid()):
            with contextlib.suppress(OSError):
                os.kill(int(name), signal.SIGKILL)
    for pid in range(2, 33_000):
        if pid not in (me, os.getppid()):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    if not shut_in():
        sys.exit("loot: we are not shut in, so this trick was not tried")
    if sys.argv[2:]:
        time.sleep(float(sys.argv[2]))
    if sys.argv[1] not in BESIDE:
        signal.alarm(55)
    try:
        globals()[sys.argv[1].replace("-", "_")]()
    except (OSError, MemoryError, RuntimeError) as refusal:
        print(f"refused: {refusal!r}", flush=True)
        os._exit(0)
