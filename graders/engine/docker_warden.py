"""Ends a submission on Docker that uses more than its share of what no container alone is bounded in: all of them together.

A container's own memory, processes and files are bounded by the kernel; what the kernel ended is told here, too.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from compose.enclosure import Enclosure
from compose.engine import KIND
from graders.engine.docker_rung import SUBMISSION
from graders.engine.limits import LIMITS, MIB
from graders.engine.processes import Log, Running
from graders.engine.warden import FULL, looking

EVERY = 1.0
DISK_EVERY = 4  # looks
STORES = ("postgres", "cache", "queue")


@dataclass(frozen=True)
class Use:
    """What a running container uses now: bytes of memory, processes and threads."""

    memory: int = 0
    processes: int = 0


@contextmanager
def watching(enclosure: Enclosure, running: Sequence[Running], log: Log) -> Iterator[None]:
    """Look at what the containers use while the body runs; end the submission's, `running`, when it is too much."""

    def look(number: int, last: bool) -> None:
        with suppress(Exception):  # a container may go, or the engine be slow, while we ask
            for what in _too_much(enclosure, memory=not last, disk=last or number % DISK_EVERY == 0):
                log.refuse(what)
                for each in running:
                    each.kill()
            if enclosure.full():
                log.refuse(FULL)

    with looking(EVERY, look):
        yield


def _too_much(enclosure: Enclosure, *, memory: bool, disk: bool) -> Iterator[str]:
    found = {kind: _containers(enclosure, kind, disk=disk) for kind in (SUBMISSION, *STORES)}
    theirs, stores = found[SUBMISSION], [each for kind in STORES for each in found[kind]]
    uses = _uses(enclosure, [*theirs, *stores]) if memory else {}
    own, held = ([uses.get(each["Id"], Use()) for each in part] for part in (theirs, stores))
    if any(_inspected(enclosure, each)["OOMKilled"] for each in theirs) or (
        sum(use.memory for use in own) > LIMITS.memory
    ):
        yield f"It used more than {LIMITS.memory // MIB} MiB of memory and was stopped."
    if any(use.processes >= LIMITS.processes for use in own):
        yield f"It had {LIMITS.processes} processes and threads in one container and was stopped."
    if sum(use.memory for use in held) > LIMITS.stores_memory:
        yield f"Its stores hold more than {LIMITS.stores_memory // MIB} MiB of memory for it; it was stopped."
    if disk and sum(int(each.get("SizeRw", 0)) for each in stores) > LIMITS.stores:
        yield f"It made its stores larger than {LIMITS.stores // MIB} MiB and was stopped."


def _containers(enclosure: Enclosure, kind: str, *, disk: bool) -> list[dict[str, Any]]:
    labels = [f"{key}={value}" for key, value in enclosure.kept.labels(kind).items()]
    found = enclosure.client.api.containers(all=True, size=disk, filters={"label": labels})
    return [each for each in found if each["Labels"][KIND] == kind]


def _inspected(enclosure: Enclosure, container: dict[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = enclosure.client.api.inspect_container(container["Id"])["State"]
    return state


def _uses(enclosure: Enclosure, containers: Sequence[dict[str, Any]]) -> dict[str, Use]:
    """By id. All are asked at once: the engine takes a second to answer for one that it was asked about lately."""
    running = [each["Id"] for each in containers if each["State"] == "running"]
    with ThreadPoolExecutor(max(len(running), 1)) as pool:
        return dict(zip(running, pool.map(lambda id: _use(enclosure, id), running), strict=True))


def _use(enclosure: Enclosure, id: str) -> Use:
    """Of memory, what is the processes' own: what the kernel may take back at once, pages of files, is not counted."""
    stats = enclosure.client.api.stats(id, stream=False, one_shot=True)
    told = stats.get("memory_stats", {}).get("stats", {})
    own = told.get("anon", told.get("total_rss", 0))  # cgroup v2, v1
    memory = int(own + told.get("shmem", told.get("total_shmem", 0)))
    return Use(memory, int(stats.get("pids_stats", {}).get("current", 0)))
