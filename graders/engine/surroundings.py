"""What stands around a service that does jobs: gates in front of its stores and upstreams, and the upstreams that we play.

In a grade the checks script them. By hand, whoever asks them does.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from compose.enclosure import Enclosure
from compose.ports import promised
from compose.stores import FixedAddresses, Stores
from graders.engine.faults_by_hand import ProcessesByHand, faults_by_hand, upstream_by_hand
from graders.probes.faults import Gate, Gates
from graders.probes.played import Answers, PlayedServer
from graders.probes.upstreams import Upstream, Upstreams, environment, mail_server, payment_provider
from labs.catalog import Lab

Say = Callable[[str], None]


@dataclass(frozen=True)
class Surroundings:
    """What the service is told: the `stores` at the doors that it is to take, and more variables.

    gates, upstreams: None in a lab without a queue. urls: by name, where a person finds what we play.
    processes: where a person tells the service's processes what to do; waits for its service. None in a grade.
    """

    stores: Stores
    environment: Mapping[str, str] = field(default_factory=dict)
    gates: Gates | None = None
    upstreams: Upstreams | None = None
    urls: Mapping[str, str] = field(default_factory=dict)
    processes: ProcessesByHand | None = None


def ways_out(lab: Lab) -> int:
    """How many doors of ours the lab's service goes through: one for each gate."""
    return len(Gates.NAMES) if "queue" in lab.stores else 0


def surroundings_of(
    lab: Lab, stack: ExitStack, stores: Stores, first_way: int, fixed: FixedAddresses | None, say: Say
) -> Surroundings:
    """All of it up until the stack ends. first_way: of the enclosure's ways out, the first that is free."""
    if "queue" not in lab.stores:
        return Surroundings(stores)
    upstreams = Upstreams(mail_server(), payment_provider())
    mail = _served(stack, upstreams.mail, fixed.mail if fixed else 0, say)
    payments = _served(stack, upstreams.payments, fixed.payments if fixed else 0, say)
    gates = Gates(
        *(stack.enter_context(Gate(port)) for port in (*_ports(stores), mail.port, payments.port)),
    )
    urls, processes = {}, None
    if fixed:
        processes = ProcessesByHand(stack)
        faults = _by_hand(stack, faults_by_hand(gates, stack, processes), fixed.faults, say)
        urls = {"mail": mail.url, "payments": payments.url, "faults": faults.url}
    doors = [_door(stack, gate, stores.enclosure, way) for way, gate in enumerate(gates.all(), first_way)]
    postgres, cache, queue, *played = doors
    told = environment(*(f"http://127.0.0.1:{port}" for port in played))
    return Surroundings(_seen_at(stores, postgres, cache, queue), told, gates, upstreams, urls, processes)


def _ports(stores: Stores) -> list[int]:
    return [server.port if server else 0 for server in (stores.postgres, stores.cache, stores.queue)]


def _served(stack: ExitStack, upstream: Upstream, port: int, say: Say) -> PlayedServer:
    if port:
        server = _by_hand(stack, upstream_by_hand(upstream), port, say)
    else:
        server = PlayedServer(upstream.answer)
        stack.callback(server.close)
    stack.callback(upstream.release)
    return server


def _by_hand(stack: ExitStack, answers: Answers, port: int, say: Say) -> PlayedServer:
    server = PlayedServer(answers, next(promised(port, say)))
    stack.callback(server.close)
    return server


def _door(stack: ExitStack, gate: Gate, enclosure: Enclosure | None, way: int) -> int:
    """The port at which the service finds the gate."""
    if enclosure is None:
        return gate.port
    stack.enter_context(enclosure.leads_to(gate.port, way))
    return enclosure.ports.out[way]


def _seen_at(stores: Stores, postgres: int, cache: int, queue: int) -> Stores:
    return replace(
        stores,
        postgres=stores.postgres and replace(stores.postgres, port=postgres),
        cache=stores.cache and replace(stores.cache, port=cache),
        queue=stores.queue and replace(stores.queue, port=queue),
    )
