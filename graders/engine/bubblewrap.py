"""The bubblewrap command of one box: what stands in it and nothing else. What goes into it is decided in `sandbox`."""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

# What programs need of a machine, all of it to be read only. Of /etc the files that say nothing of its people.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
ETC = (
    "alternatives",
    "ca-certificates",
    "crypto-policies",
    "java",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "pki",
    "protocols",
    "services",
    "ssl",
    "timezone",
)

USER = 2000
OWN_ETC = {
    "passwd": f"app:x:{USER}:{USER}:app:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "group": f"app:x:{USER}:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost app\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "resolv.conf": "",
}

NAMESPACES = (
    "--unshare-user",
    "--disable-userns",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
)
MANNERS = ("--hostname", "app", "--new-session", "--die-with-parent")


@dataclass(frozen=True)
class Shown:
    """A file or folder of the machine that stands in a box, at `place`."""

    source: Path
    place: Path
    writable: bool = False

    def arguments(self) -> list[str]:
        return ["--bind" if self.writable else "--ro-bind", str(self.source), str(self.place)]


@dataclass(frozen=True)
class Box:
    """What a command sees: the system's programs, or the `whole` machine, to be read; `hidden` folders are empty."""

    shown: tuple[Shown, ...]
    hidden: tuple[Path, ...] = ()
    at: Path = Path("/")
    whole: bool = False


def program() -> str | None:
    return shutil.which("bwrap")


def command(box: Box, etc: Path) -> list[str]:
    """bubblewrap and its arguments up to the command. `etc` holds OWN_ETC as files."""
    arguments = [program() or "bwrap", *NAMESPACES, "--uid", str(USER), "--gid", str(USER), *MANNERS]
    arguments += ["--ro-bind", "/", "/"] if box.whole else [*_system(), *_etc(etc)]
    arguments += ["--dev", "/dev", "--proc", "/proc"]
    # The outer folders first, so that what is shown inside what is hidden stays in sight.
    for _, words in sorted(_layers(box), key=lambda layer: len(layer[0].parts)):
        arguments += words
    for path in (*box.hidden, Path("/dev"), Path("/")):
        arguments += ["--remount-ro", str(path)]
    return [*arguments, "--chdir", str(box.at)]


def write_etc(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    for name, text in OWN_ETC.items():
        (folder / name).write_text(text)


def _layers(box: Box) -> Iterable[tuple[Path, list[str]]]:
    yield from ((path, ["--tmpfs", str(path)]) for path in box.hidden)
    yield from ((shown.place, shown.arguments()) for shown in box.shown)


def _system() -> Iterable[str]:
    for name in SYSTEM:
        if Path(name).is_symlink():
            yield from ("--symlink", str(Path(name).readlink()), name)
        elif Path(name).is_dir():
            yield from ("--ro-bind", name, name)


def _etc(own: Path) -> Sequence[str]:
    machine = [words for name in ETC for words in ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")]
    ours = [words for name in OWN_ETC for words in ("--ro-bind", str(own / name), f"/etc/{name}")]
    return [*machine, *ours]
