"""The closed network of one grade on Docker, and the one way into it. What lives in it stands in `containers`.

All containers of a grade share the network of its holder, which has a loopback and nothing else: no host, no bridge, no
name server. The grader comes in through two relays and a volume between them; only ports promised here lead anywhere.
"""

import io
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from compose import ports, relay
from compose.engine import Client, Container, Kept
from compose.passwords import new_password
from compose.ports import HOST
from compose.stores import FixedAddresses, StoreName, StoresFailed
from compose.way_out import led_out

USER = 2000
SOCKETS = "/octo/sockets"
APP, SCRATCH, SHARED_MEMORY = "/app", "/tmp", "/dev/shm"  # noqa: S108 - in containers
QUARTERS = "/octo/quarters"  # in the holder: the three in one, so that they have one bound
WEB_PORTS = 12
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
    """The ports that lead into the enclosure; the same numbers on both sides, so that one address serves both.

    `out` lead the other way: inside, the submission calls one; outside, we wait at it.
    """

    postgres: int
    cache: int
    queue: int
    web: tuple[int, ...]
    out: tuple[int, ...]

    def all(self) -> list[int]:
        return [*self._into(), *self.out]

    def _into(self) -> list[int]:
        return [self.postgres, self.cache, self.queue, *self.web]

    def relayed(self) -> list[str]:
        """As the relays are told them."""
        return [*map(str, self._into()), *(f"-{port}" for port in self.out)]

    def of(self, store: StoreName) -> int:
        return int(getattr(self, store))


@dataclass(frozen=True)
class Enclosure:
    """One grade's network, and the submission's quarters, which live as long as it does. `volumes`: their parts."""

    client: Client
    kept: Kept
    holder: Container
    ports: Ports
    volumes: dict[str, dict[str, str]]
    password: str

    def leads_to(self, port: int, way: int = 0) -> AbstractContextManager[None]:
        """While it lasts, what calls `ports.out[way]` inside arrives at `port` on this machine's loopback."""
        return led_out(self.ports.out[way], self.password, port)

    @property
    def network(self) -> str:
        return f"container:{self.holder.id}"

    def put(self, tree: Path) -> None:
        """Furnish the quarters: a copy of `tree` as APP, and the rest empty, all of it the submission's own."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for place in (SCRATCH, SHARED_MEMORY):
                tar.addfile(_owned(_folder(_part(place))))
            tar.add(tree, arcname=_part(APP), filter=_owned)
        if not self.holder.put_archive(QUARTERS, packed.getvalue()):
            raise StoresFailed("The files could not be copied into the container.", "Grade again.")

    def full(self) -> bool:
        """Whether the quarters have no room left, or none for one more file."""
        said = self.holder.exec_run(["stat", "-f", "-c", "%a %d", QUARTERS]).output.split()
        return b"0" in said


def _part(place: str) -> str:
    """The folder in the quarters that the submission sees as `place`."""
    return place.rpartition("/")[2]


def _folder(name: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type = tarfile.DIRTYPE
    return entry


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
    files: int,
    ways_out: int,
) -> Enclosure:
    """Make the network, the ways in and out, and the submission's quarters of `size` bytes and `files`. Raises StoresFailed.

    A port may be taken between our look and the engine's: then others are tried.
    """
    sockets = _volume(client, kept, "sockets", "size=1m,mode=0700")
    quarters = _volume(client, kept, "quarters", f"size={size},nr_inodes={files},mode=0755")
    way_in = {sockets: {"bind": SOCKETS, "mode": "rw"}}
    chosen, password = _ports(fixed, ways_out, say), new_password()
    gate = None
    for attempt in range(TRIES):
        gate = _relay(client, kept, "gate", "outside", image, chosen, password, way_in)
        try:
            gate.start()
            break
        except Exception as error:
            gate.remove(force=True)
            if "port is already allocated" not in str(error) and "address already in use" not in str(error):
                raise
            if attempt == TRIES - 1:
                raise StoresFailed("No free ports could be had.", "Run the command again.") from error
            chosen = _ports(None, ways_out, say)
    inside = {quarters: {"bind": QUARTERS, "mode": "rw"}}
    holder = _relay(client, kept, "holder", "inside", image, chosen, password, way_in | inside)
    holder.start()
    volumes = {
        _part_of(client, kept, quarters, place): {"bind": place, "mode": "nocopy"}
        for place in (APP, SCRATCH, SHARED_MEMORY)
    }
    return Enclosure(client, kept, holder, chosen, volumes, password)


def _ports(fixed: FixedAddresses | None, ways_out: int, say: Callable[[str], None]) -> Ports:
    free = _distinct(ports.candidates())
    out = tuple(islice(free, ways_out))
    if not fixed:
        return Ports(next(free), next(free), next(free), tuple(islice(free, WEB_PORTS)), out)
    told = [next(ports.promised(each, say)) for each in (fixed.postgres, fixed.cache, fixed.queue, fixed.web)]
    return Ports(told[0], told[1], told[2], (told[3], *islice(free, WEB_PORTS - 1)), out)


def _distinct(numbers: Iterator[int]) -> Iterator[int]:
    seen: set[int] = set()
    for number in numbers:
        if number not in seen:
            seen.add(number)
            yield number


def _volume(client: Client, kept: Kept, name: str, options: str) -> str:
    """A volume in memory. It holds what is in it as long as a container has it mounted: the holder has."""
    return _made(
        client, kept, name, {"type": "tmpfs", "device": "tmpfs", "o": f"{options},uid={USER},gid={USER}"}
    )


def _part_of(client: Client, kept: Kept, quarters: str, place: str) -> str:
    """A volume that is one folder of another. Engines have no word for it before 26, but the kernel has."""
    folder = f"{client.volumes.get(quarters).attrs['Mountpoint']}/{_part(place)}"
    return _made(client, kept, _part(place), {"type": "none", "device": folder, "o": "bind"})


def _made(client: Client, kept: Kept, name: str, options: dict[str, str]) -> str:
    full = f"octo_lab-{kept.run}-{name}"
    client.volumes.create(full, driver="local", driver_opts=options, labels=kept.labels(name))
    return full


def _relay(
    client: Client,
    kept: Kept,
    kind: str,
    side: str,
    image: str,
    chosen: Ports,
    password: str,
    volumes: dict[str, dict[str, str]],
) -> Container:
    """A container that relays; the one outside is published on loopback, the one inside has no network at all."""
    inside = side == "inside"
    source = Path(relay.__file__).read_text(encoding="utf-8")
    published = {} if inside else {f"{port}/tcp": (HOST, port) for port in chosen.all()}
    return client.containers.create(
        image,
        entrypoint=["python3", "-I", "-c", source],
        command=[side, SOCKETS, *chosen.relayed()],
        environment={} if inside else {"WAY_OUT": password},
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
