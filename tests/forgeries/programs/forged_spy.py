"""Looks for what a submission must not see or do, says `loot: ...` of all it finds, and ends before it is ready.

Usage: python forged_spy.py TRICK
"""

import contextlib
import ctypes
import glob
import os
import re
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
TREE = Path.cwd()
CANARY = "octo-canary-"


def others():
    """Numbers of all processes that are not our own ancestors."""
    mine, pid = set(), os.getpid()
    while pid > 0:
        mine.add(pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in mine]


def ours(path):
    """What a submission stands on: its tree, its scratch space, its Python, and the empty folders that lead there."""
    stands_on = [TREE, Path(os.environ["HOME"]), Path(sys.prefix), Path(sys.base_prefix)]
    return any(place.is_relative_to(path) or Path(path).is_relative_to(place) for place in stands_on)


def readable(path, mode="rb", most=200_000):
    with contextlib.suppress(OSError), open(path, mode) as file:
        return file.read(most)
    return b""


# --- what lies about ----------------------------------------------------------------------------------------


def files():
    """Anything of the grader's, of other people's, of the host's, by its name."""
    sought = re.compile(
        r"octo-canary|^lab\.toml$|^fixes\.toml$|^wrong_fixes$|^right_fixes$|^published_checks|^pg_hba\.conf$|^grader\.log$"
        r"|^\.ssh$|^\.netrc$|^\.pgpass$|^\.git-credentials$|^\.gnupg$|^\.aws$|^\.kube$|^docker\.sock$|^\.bash_history$|^shadow$"
    )
    for parent, folders, names in os.walk("/"):
        if parent in ("/proc", "/sys"):
            folders.clear()
        for name in [*folders, *names]:
            path = Path(parent, name)
            if sought.search(name) and not path.is_relative_to(TREE) and (os.access(path, os.R_OK) or path.is_socket()):
                yield f"{path}"


def homes():
    """In a container the system's own folders are the image's, and nobody's."""
    system = () if Path("/.dockerenv").exists() else ("/var/lib", "/var/log", "/var/spool")
    for place in ("/root", *glob.glob("/home/*"), "/mnt", "/media", "/srv", "/work", *system):
        with contextlib.suppress(OSError):
            for name in os.listdir(place):
                if not ours(Path(place, name)):
                    yield f"{place}/{name}"


def parents():
    """What lies beside the tree and above it: other submissions, other runs, the grader's own log."""
    for place in (*TREE.parents, *Path(os.environ["HOME"]).parents):
        with contextlib.suppress(OSError):
            for name in os.listdir(place):
                if place != Path("/") and name not in (TREE.name, "scratch", "tree"):
                    yield f"{place}/{name}"


def other_runs():
    for pattern in ("/var/cache/octo_lab/*", "/var/cache/octo_lab/*/*", "/var/cache/octo_lab/runs/*/*", "/tmp/octo_lab*", "/tmp/pytest-*"):
        yield from (path for path in glob.glob(pattern) if not ours(path))


# --- processes ----------------------------------------------------------------------------------------------


def environments():
    for name, value in os.environ.items():
        if re.search(r"CANARY|TOKEN|SECRET|KEY|GITHUB|CI_|AWS|PYTEST|OCTO", name):
            yield f"{name}={value}"
    for pid in others():
        if found := re.search(rb"OCTO_LAB_CANARY=\w+|PYTEST_\w+=[^\0]*", readable(f"/proc/{pid}/environ")):
            yield found[0].decode()


def command_lines():
    for pid in others():
        if found := re.search(rb"[^\0]*(graders|pytest|postgres|valkey|keeper|octo_lab)[^\0]*", readable(f"/proc/{pid}/cmdline")):
            yield f"{pid}: {found[0].decode(errors='replace')[:80]}"


def memory():
    for pid in others():
        with contextlib.suppress(OSError), open(f"/proc/{pid}/maps") as maps:
            area = next((line for line in maps if "[stack]" in line), None)
            if area:
                start = int(area.partition("-")[0], 16)
                with open(f"/proc/{pid}/mem", "rb") as mem:
                    mem.seek(start)
                    yield f"memory of {pid}: {len(mem.read(4096))} bytes"


def ptrace():
    for pid in others():
        if LIBC.ptrace(16, pid, 0, 0) == 0:  # PTRACE_ATTACH
            LIBC.ptrace(17, pid, 0, 0)
            yield f"attached to {pid}"


def descriptors():
    """Open files that somebody left us, and those of others."""
    for fd in range(3, 256):
        with contextlib.suppress(OSError):
            os.fstat(fd)
            yield f"we were left descriptor {fd}: {os.readlink(f'/proc/self/fd/{fd}')}"
    for pid in others():
        for path in glob.glob(f"/proc/{pid}/fd/*"):
            with contextlib.suppress(OSError):
                yield f"{path} -> {os.readlink(path)}"


def roots():
    """The file system as another process sees it."""
    for pid in others():
        for way in ("root", "cwd"):
            with contextlib.suppress(OSError):
                if os.listdir(f"/proc/{pid}/{way}/") and os.stat(f"/proc/{pid}/{way}/").st_ino != os.stat("/").st_ino:
                    yield f"/proc/{pid}/{way}"


def signals():
    """Which strangers we may signal; signal 0 harms nobody."""
    for pid in others():
        with contextlib.suppress(OSError):
            os.kill(pid, 0)
            yield f"we may signal {pid}: {readable(f'/proc/{pid}/comm').decode().strip()}"


# --- the network --------------------------------------------------------------------------------------------


def outside():
    for name, address, family in (
        ("TEST-NET", ("198.51.100.7", 80), socket.AF_INET),
        ("cloud metadata", ("169.254.169.254", 80), socket.AF_INET),
        ("a resolver", ("192.0.2.53", 53), socket.AF_INET),
        ("IPv6", ("2001:db8::1", 80), socket.AF_INET6),
    ):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(address)  # no packet leaves: it only asks for a route
            yield f"a route to {name} from {probe.getsockname()[0]}"
    for line in readable("/proc/net/dev", "r", 10_000).splitlines()[2:] if readable("/proc/net/dev") else ():
        if (device := line.split(":")[0].strip()) != "lo":
            yield f"the interface {device}"


def ports():
    """Every port of loopback that is none of the addresses we were given."""
    given = {int(port) for name in ("DATABASE_URL", "CACHE_URL", "QUEUE_URL") for port in re.findall(r":(\d+)", os.environ.get(name, ""))}
    for port in range(1, 65_536):
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex(("127.0.0.1", port)) == 0 and port not in given and probe.getsockname()[1] != port:
                yield f"something listens on {port}"


def abstract_sockets():
    for line in readable("/proc/net/unix", "r").splitlines() if readable("/proc/net/unix") else ():
        if CANARY in line:
            name = line.split()[-1].replace("@", "\0", 1)
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(name)
                yield f"connected to {name!r}"


def raw_sockets():
    """A sniffer on the loopback that we share with the grader would see its passwords and questions."""
    for name, family, kind, protocol in (
        ("AF_PACKET", socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3)),
        ("raw IP", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP),
        ("netlink audit", socket.AF_NETLINK, socket.SOCK_RAW, 9),
    ):
        with contextlib.suppress(OSError), socket.socket(family, kind, protocol) as probe:
            if name == "netlink audit":
                probe.bind((0, 1))
            yield f"a socket of {name}"


# --- rights -------------------------------------------------------------------------------------------------


def rights():
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        if int(status[name], 16):
            yield f"{name} {status[name]}"
    if status["NoNewPrivs"] != "1":
        yield "programs may gain privileges"
    if Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"] and os.getuid() == 0:
        yield "we are the host's root"


def setuid_programs():
    for place in ("/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/lib", "/usr/libexec"):
        for parent, _, names in os.walk(place):
            for name in names:
                with contextlib.suppress(OSError):
                    if os.stat(Path(parent, name)).st_mode & stat.S_ISUID and shutil.which("sudo") == str(Path(parent, name)):
                        done = subprocess.run(["sudo", "-n", "id", "-u"], capture_output=True, text=True, timeout=5)
                        if done.stdout.strip() == "0":
                            yield "sudo made us root"
    copy = Path(os.environ["HOME"], "mine")
    shutil.copy("/usr/bin/id", copy)
    copy.chmod(0o6755)
    if subprocess.run([copy, "-u"], capture_output=True, text=True).stdout.strip() != str(os.getuid()):
        yield "a setuid program of ours works"


def namespaces():
    """A namespace of our own gives every right in it: may we then undo what holds us?"""
    if LIBC.unshare(0x10000000 | 0x00020000):  # CLONE_NEWUSER | CLONE_NEWNS
        return
    for line in Path("/proc/self/mounts").read_text().splitlines():
        place = line.split()[1].encode()
        if place not in (b"/", b"/proc") and LIBC.umount2(place, 2) == 0:
            yield f"unmounted {place.decode()}"
    for place in (b"/", b"/usr", b"/etc"):
        if LIBC.mount(None, place, None, 32 | 4096, None) == 0:  # MS_REMOUNT | MS_BIND: without MS_RDONLY
            with contextlib.suppress(OSError):
                Path(place.decode(), "forged").touch()
                yield f"{place.decode()} can be written"


def devices():
    known = {"null", "zero", "full", "random", "urandom", "tty", "console", "stdin", "stdout", "stderr", "fd", "core", "shm", "pts", "ptmx", "mqueue"}
    for path in Path("/dev").iterdir():
        if path.name not in known and os.access(path, os.R_OK | os.W_OK):
            yield f"{path}"
    for major, minor in ((1, 1), (8, 0), (259, 0), (253, 0)):
        with contextlib.suppress(OSError):
            os.mknod(f"device-{major}-{minor}", 0o600 | stat.S_IFBLK, os.makedev(major, minor))
            open(f"device-{major}-{minor}", "rb").close()
            yield f"a device {major}:{minor} of our own"


def kernel_settings():
    """Opened for writing only: nothing is written."""
    for path in (
        "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/kernel/hostname", "/proc/sys/vm/drop_caches",
        "/proc/sys/net/ipv4/ip_forward", "/sys/kernel/uevent_helper", "/sys/kernel/debug/x",
        *glob.glob("/sys/fs/cgroup/**/cgroup.procs", recursive=True)[:50], *glob.glob("/sys/fs/cgroup/**/release_agent", recursive=True)[:50],
    ):
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_WRONLY))
            yield f"{path} can be written"


def shared_memory():
    for path in ("/dev/shm", "/dev/mqueue"):
        with contextlib.suppress(OSError):
            yield from (f"{path}/{name}" for name in os.listdir(path))
    for kind in ("shm", "sem", "msg"):
        lines = readable(f"/proc/sysvipc/{kind}", "r") or ""
        yield from (f"a System V {kind}: {line}" for line in lines.splitlines()[1:])


def keyrings():
    mine = str(os.getuid())
    for line in (readable("/proc/keys", "r") or "").splitlines():
        if line.split()[5] != mine and "_ses" not in line and "_uid" not in line:
            yield f"a key: {line}"


def terminals():
    for path in ("/dev/tty", "/dev/console", *glob.glob("/dev/pts/[0-9]*")):
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_RDWR | os.O_NOCTTY))
            yield f"the terminal {path}"


def watches():
    """fanotify sees what others open; perf and bpf what they do."""
    if (fd := LIBC.fanotify_init(0x4, 0)) >= 0:
        if LIBC.fanotify_mark(fd, 0x1 | 0x10, ctypes.c_uint64(0x20), -100, b"/") == 0:
            yield "fanotify on the whole mount"
    if LIBC.syscall(321, 5, ctypes.create_string_buffer(128), 128) >= 0:  # bpf(BPF_PROG_LOAD)
        yield "bpf"
    if LIBC.syscall(321, 0, (ctypes.c_uint32 * 32)(1, 4, 4, 1), 128) >= 0:  # bpf(BPF_MAP_CREATE)
        yield "a bpf map"


def clocks_and_limits():
    with contextlib.suppress(OSError):
        time.clock_settime(time.CLOCK_REALTIME, time.time())
        yield "the clock can be set"
    with contextlib.suppress(OSError):
        os.nice(-5)
        yield "we may go first"
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        yield "we may run in real time"
    for name in ("RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE"):
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY:
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(kind, (hard + 1, hard + 1))
                yield f"{name} can be raised"


# --- what others use after us -------------------------------------------------------------------------------


def shared_places():
    """Writes wherever others would find it: the environment of the next grade, programs, configuration."""
    environment = [Path(place) for place in sys.path if place and not Path(place).is_relative_to(TREE)]
    places = [*environment, Path(sys.prefix), Path(sys.base_prefix), *map(Path, os.environ["PATH"].split(":"))]
    places += [path.resolve() for path in (TREE / "node_modules",) if path.exists()]
    places += [Path(place) for place in ("/etc", "/usr", "/var", "/opt", "/lib", "/root", "/", "/run", "/var/tmp", "/var/cache/octo_lab")]
    places += [*TREE.parents, *Path(os.environ["HOME"]).parents]
    for place in dict.fromkeys(places):
        for path in (place / "forged.pth", place / "__pycache__" / "forged.pyc"):
            with contextlib.suppress(OSError):
                path.parent.mkdir(exist_ok=True)
                path.write_text("import forged\n")
                if persists(place):
                    yield f"{path} could be written"


def persists(place):
    """A private tmpfs is gone with us; what is below the environment or the root's own file system is not."""
    types = {line.split()[1]: line.split()[2] for line in Path("/proc/self/mounts").read_text().splitlines()}
    mount = next(str(each) for each in (place, *place.parents) if str(each) in types)
    return types[mount] != "tmpfs"


def modules_of_the_environment():
    """Changes a module in place, or through a hard link."""
    import encodings

    for path in (*Path(sys.prefix).rglob("*.py"), Path(encodings.__file__), Path(sys.executable).resolve()):
        with contextlib.suppress(OSError):
            with open(path, "ab"):
                yield f"{path} can be written"
        with contextlib.suppress(OSError):
            os.link(path, TREE / "linked")
            yield f"{path} can be linked"
        with contextlib.suppress(OSError):
            path.chmod(0o666)
            yield f"{path} can be made writable"


def main():
    found = 0
    for line in globals()[sys.argv[1].replace("-", "_")]():
        found += 1
        if found <= 6:
            print(f"loot: {line}", flush=True)
    print(f"the spy found {found} things")
    sys.exit(1)


if __name__ == "__main__":
    signal.alarm(60)
    main()
