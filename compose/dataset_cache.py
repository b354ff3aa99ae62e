"""Datasets as stopped clusters in the cache: built once, checked when copied, evicted when room is short."""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from compose import cluster, roles, tree
from compose.disk import MIB, full_disk_explained, require_space
from compose.identity import Identity
from compose.locks import Held, locked
from compose.places import cache_root
from compose.postgres import Cluster
from compose.reachable import PostgresPrograms
from compose.stores import Dataset, StoresFailed

# What every dataset begins with. Edited, it makes other clusters: entries of before count as others.
MAKERS = (cluster, roles)

BUILD_NEEDS = 1024 * MIB
COPY_NEEDS = 256 * MIB  # beside the copy itself: WAL, indexes and logs of the grade

BOUND_VARIABLE = "OCTO_LAB_CACHE_MAX"
BOUND = 4096  # MiB

EMPTY = Dataset(key="empty", fill=lambda server: None)


@dataclass(frozen=True)
class Making:
    """What a build needs beside the dataset: programs, a user, the run that pays for it, and whom to tell."""

    programs: PostgresPrograms
    identity: Identity
    run_dir: Path
    record: Callable[[int], None]
    say: Callable[[str], None]


@dataclass(frozen=True)
class Usage:
    """One dataset in the cache: its name there, its bytes, and when it was last used (Unix time)."""

    name: str
    size: int
    used: float


def copy(dataset: Dataset, home: Path, making: Making) -> Cluster:
    """A private copy of the dataset's cluster in `home`, a directory of the servers' user; built if need be.

    Raises StoresFailed when the disk is full or Postgres cannot build it; whatever `dataset.fill` raises.
    """
    place = shelf() / name_of(dataset, making.programs.version)
    lock = place.with_suffix(".lock")
    for _ in range(3):
        with locked(lock, shared=True):
            if copied := _copied(place, home, making):
                return copied
        with locked(
            lock, waiting=lambda: making.say("Waiting: another run is preparing the data of this lesson.")
        ):
            if not _intact(place):
                _build(dataset, place, making)
    raise StoresFailed(
        "The cached data change while they are being copied.",
        "Run `octo_lab doctor --clean`, or set OCTO_LAB_CACHE to a directory that nothing else writes to.",
    )


def usage() -> list[Usage]:
    """What stands in the cache, the least recently used first."""
    places = [place for place in shelf().iterdir() if place.is_dir()]
    return sorted((_used(place) for place in places), key=lambda one: one.used)


def clean() -> int:
    """Throw away every dataset that no run is copying; returns the bytes that this freed."""
    return sum(one.size for one in usage() if _thrown_away(one.name))


def shelf() -> Path:
    shelf = cache_root() / "datasets"
    shelf.mkdir(exist_ok=True)
    shelf.chmod(0o700)
    return shelf


def name_of(dataset: Dataset, program: str) -> str:
    """A hash of everything that makes the dataset; `program` is the server's version, or its image."""
    made_by = b"".join(Path(str(maker.__file__)).read_bytes() for maker in MAKERS)
    return hashlib.sha256(f"{dataset.key}\0{program}\0".encode() + made_by).hexdigest()[:24]


def _read(place: Path) -> tree.Listing | None:
    try:
        return tree.from_json(json.loads((place / "manifest.json").read_text()))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _used(place: Path) -> Usage:
    """An entry that cannot be read counts as the oldest."""
    stood = _read(place)
    with suppress(FileNotFoundError):
        if stood:
            return Usage(place.name, stood.size(), (place / "manifest.json").stat().st_mtime)
    return Usage(place.name, 0, 0.0)


def _copied(place: Path, home: Path, making: Making) -> Cluster | None:
    """The copy, or None when there is no entry or it is not what was put there."""
    if not (stood := _read(place)):
        return None
    require_space(home, stood.size() + COPY_NEEDS, "copy the data of this lesson")
    copied = Cluster(home, (place / "password").read_text())
    try:
        with full_disk_explained(home):
            tree.copy(place / "cluster", stood, copied.data, making.identity)
    except tree.Differs:
        shutil.rmtree(copied.data)
        return None
    os.utime(place / "manifest.json")
    return copied


def _intact(place: Path) -> bool:
    stood = _read(place)
    return stood is not None and (place / "password").exists() and stood == tree.listing(place / "cluster")


def _build(dataset: Dataset, place: Path, making: Making) -> None:
    if place.exists():
        making.say("The cached data of this lesson are damaged; they are thrown away and built again.")
        _discard(place)
    require_space(place.parent, BUILD_NEEDS, "prepare the data of this lesson")
    making.say("Preparing the data of this lesson, once on this machine.")
    home = making.identity.directory(making.run_dir / f"build-{secrets.token_hex(4)}")
    try:
        with full_disk_explained(home):
            made = cluster.build(home, dataset, making.programs, making.identity, making.record)
            _put(made, place)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    _evict(keep=place.name)


def _put(made: Cluster, place: Path) -> None:
    """Move the stopped cluster to its place in one step; it is ours there, and no server can change it."""
    entry = made.home / "entry"
    entry.mkdir(mode=0o700)
    made.data.rename(entry / "cluster")
    Identity().write(entry / "password", made.password)
    stands = tree.listing(entry / "cluster")
    (entry / "manifest.json").write_text(json.dumps(stands.as_json()))
    entry.rename(place)


def _evict(keep: str) -> None:
    """Throw away the least recently used entries until the cache is within its bound. One in use stays."""
    bound = _bound()
    held = usage()
    total = sum(one.size for one in held)
    for one in held:
        if total > bound and one.name != keep and _thrown_away(one.name):
            total -= one.size


def _bound() -> int:
    told = os.environ.get(BOUND_VARIABLE, str(BOUND))
    if not told.isdecimal():
        raise StoresFailed(
            f"{BOUND_VARIABLE} is {told!r}.", f"Set it to a number of MiB, for instance {BOUND}."
        )
    return int(told) * MIB


def _thrown_away(name: str) -> bool:
    place = shelf() / name
    try:
        with locked(place.with_suffix(".lock"), wait=False):
            _discard(place)
    except Held:
        return False
    return True


def _discard(place: Path) -> None:
    """The manifest goes first: what is left if we are interrupted counts as no entry."""
    (place / "manifest.json").unlink(missing_ok=True)
    if place.exists():
        shutil.rmtree(place)
