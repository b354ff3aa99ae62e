"""The closed network of one grade on Docker, and the one way into it. What lives in it stands in `containers`.

All containers of a grade share the network of its holder, which has a loopback and nothing else: no host, no bridge, no
name server. The grader comes in through two relays and a volume between them; only ports promised here lead anywhere.
"""

import io
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from compose import ports, relay
from compose.engine import Client, Container, Kept
from compose.ports import HOST
from compose.stores import FixedAddresses, StoreName, StoresFailed

USER = 2000
SOCKETS = "/octo/sockets"
APP, SCRATCH = "/app", "/tmp"  # noqa: S108 - in containers
WEB_PORTS = 6
TRIES = 3
READY_WITHIN = 30.0

# For everything that needs no right: no capability, no set-user-id program, no log kept by the engine without bound.
HARDENED = {
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "log_config": {"Type": "json-file", "Config": {"max-size": "4m", "max-file": "1"}},
}


@dataclass(frozen=True)
class Ports:
    """The ports that lead into the enclosure; the same numbers on both sides, so that one address serves both."""

    postgres: int
    cache: int
    queue: int
    web: tuple[int, ...]

    def all(self) -> list[int]:
        return [self.postgres, self.cache, self.queue, *self.web]

    def of(self, store: StoreName) -> int:
        return int(getattr(self, store))


@dataclass(frozen=True)
class Enclosure:
    """One grade's network, and the volumes of the submission that live as long as it does."""

    client: Client
    kept: Kept
    holder: Container
    ports: Ports
    volumes: dict[str, dict[str, str]]

    @property
    def network(self) -> str:
        return f"container:{self.holder.id}"

    def put(self, folder: Path, place: str) -> None:
        """Copy what is in `folder` to `place`, one of the submission's volumes, as the submission's own."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            tar.add(folder, arcname=".", filter=_owned)
        if not self.holder.put_archive(place, packed.getvalue()):
            raise StoresFailed("The files could not be copied into the container.", "Grade again.")


def _owned(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = USER
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() else entry.mode | 0o600
    return entry


def enclose(
    client: Client,
    kept: Kept,
    image: str,
    fixed: FixedAddresses | None,
    say: Callable[[str], None],
    size: int,
) -> Enclosure:
    """Make the network, the way in and the submission's volumes of `size` bytes. Raises StoresFailed.

    A port may be taken between our look and the engine's: then others are tried.
    """
    sockets = _volume(client, kept, "sockets", "size=1m,mode=0700")
    halves = f"size={size // 2},nr_inodes=10000,mode=0755"
    volumes = {
        _volume(client, kept, "app", halves): {"bind": APP, "mode": "rw"},
        _volume(client, kept, "scratch", halves): {"bind": SCRATCH, "mode": "rw"},
    }
    way_in = {sockets: {"bind": SOCKETS, "mode": "rw"}}
    chosen = _ports(fixed, say)
    gate = None
    for attempt in range(TRIES):
        gate = _relay(client, kept, "gate", "outside", image, chosen, way_in)
        try:
            gate.start()
            break
        except Exception as error:
            gate.remove(force=True)
            if "port is already allocated" not in str(error) and "address already in use" not in str(error):
                raise
            if attempt == TRIES - 1:
                raise StoresFailed("No free ports could be had.", "Run the command again.") from error
            chosen = _ports(None, say)
    holder = _relay(client, kept, "holder", "inside", image, chosen, way_in | volumes)
    holder.start()
    return Enclosure(client, kept, holder, chosen, volumes)


def _ports(fixed: FixedAddresses | None, say: Callable[[str], None]) -> Ports:
    free = _distinct(ports.candidates())
    if not fixed:
        return Ports(next(free), next(free), next(free), tuple(next(free) for _ in range(WEB_PORTS)))
    told = [next(ports.promised(each, say)) for each in (fixed.postgres, fixed.cache, fixed.queue, fixed.web)]
    return Ports(told[0], told[1], told[2], (told[3], *(next(free) for _ in range(WEB_PORTS - 1))))


def _distinct(numbers: Iterator[int]) -> Iterator[int]:
    seen: set[int] = set()
    for number in numbers:
        if number not in seen:
            seen.add(number)
            yield number


def _volume(client: Client, kept: Kept, name: str, options: str) -> str:
    """A volume in memory. It holds what is in it as long as a container has it mounted: the holder has."""
    full = f"octo_lab-{kept.run}-{name}"
    client.volumes.create(
        full,
        driver="local",
        driver_opts={"type": "tmpfs", "device": "tmpfs", "o": f"{options},uid={USER},gid={USER}"},
        labels=kept.labels(name),
    )
    return full


def _relay(
    client: Client,
    kept: Kept,
    kind: str,
    side: str,
    image: str,
    chosen: Ports,
    volumes: dict[str, dict[str, str]],
) -> Container:
    """A container that relays; the one outside is published on loopback, the one inside has no network at all."""
    inside = side == "inside"
    source = Path(relay.__file__).read_text(encoding="utf-8")
    published = {} if inside else {f"{port}/tcp": (HOST, port) for port in chosen.all()}
    return client.containers.create(
        image,
        entrypoint=["python3", "-I", "-c", source],
        command=[side, SOCKETS, *map(str, chosen.all())],
        name=f"octo_lab-{kept.run}-{kind}",
        hostname="app",
        labels=kept.labels(kind),
        user=f"{USER}:{USER}",
        working_dir="/",
        network_mode="none" if inside else None,
        ports=published,
        volumes=volumes,
        read_only=True,
        mem_limit="128m",
        pids_limit=32,
        init=True,
        **HARDENED,
    )


def await_relays(enclosure: Enclosure) -> None:
    """Wait until the relay inside listens. Raises StoresFailed with its last words."""
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        with suppress(Exception):
            enclosure.holder.get_archive(f"{SOCKETS}/inside.ready")
            return
        time.sleep(0.05)
    words = enclosure.holder.logs(tail=10).decode("utf-8", "replace")
    raise StoresFailed("The relay into the container did not come up.", "Run the command again.", words)
