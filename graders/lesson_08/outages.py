"""Postgres goes away in three ways, and what the processes say of their health meanwhile and afterwards is recorded."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from graders.check import CannotJudge, Failure, expect
from graders.lesson_08.waiting import until
from graders.lesson_08.world import World, at_worker
from graders.probes.api import Answer, Api
from graders.probes.faults import Gate

Kind = Literal["cut", "refuse", "hold"]
KINDS: tuple[Kind, ...] = ("cut", "refuse", "hold")
WORDS = {
    "cut": "connections to Postgres are cut",
    "refuse": "Postgres refuses connections",
    "hold": "Postgres takes connections and answers nothing",
}
BRIEFLY = {"cut": "cut off", "refuse": "refusing", "hold": "silent"}
FAULTS = "http://127.0.0.1:8084"  # where `octo_lab run` takes orders for faults
SECONDS = 8.0  # four times what CONTRACT.md, Health, allows
BECAUSE_BOUND = (
    "Whoever routes traffic waits for this answer. While none comes, callers go on being sent to a dead end."
)

# An answer, or the Failure that there was none.
Said = Answer | Failure


@dataclass(frozen=True)
class Outage:
    """What `web` and `worker` said during one outage, and what `web` and a write said after it."""

    kind: Kind
    proof: str
    live: Said
    ready: Said
    worker_live: Said
    worker_ready: Said
    again: Said
    worker_again: Said
    written: Said

    def how(self, said: Said) -> str:
        """The request behind `said`, as it is made by hand: while `octo_lab run` is up the fault is made with curl, too."""
        of_worker = any(said is each for each in (self.worker_live, self.worker_ready, self.worker_again))
        did = at_worker(said.did) if of_worker else said.did
        return f"curl -s -X POST {FAULTS}/postgres/{self.kind}; {did}"

    def told(self) -> str:
        return f"While {WORDS[self.kind]} ({self.proof})"

    def meanwhile(self, what: str) -> str:
        """What a failure is told of, in few words: `what` during this outage."""
        return f"{what} with Postgres {BRIEFLY[self.kind]}"

    def afterwards(self, what: str) -> str:
        return f"{what} after Postgres was {BRIEFLY[self.kind]}"


def outages(world: World, gate: Gate) -> dict[str, Outage]:
    """One after the other, each healed. Raises CannotJudge where a fault reached nobody."""
    worker = world.worker().url
    return {kind: _outage(world, worker, gate, kind) for kind in KINDS}


def _outage(world: World, worker: str, gate: Gate, kind: Kind) -> Outage:
    fault = {"cut": gate.cut, "refuse": gate.refuse, "hold": gate.hold}[kind]
    with fault() as landed:
        live, ready, worker_live, worker_ready = _at_once(
            lambda: _asked(world.new_client(), "/livez"),
            lambda: _fallen(world.new_client()),
            lambda: _asked(world.clients(worker), "/livez"),
            lambda: _fallen(world.clients(worker)),
        )
        if not landed.live and not landed.connections:
            raise CannotJudge(
                "The outage of Postgres reached no connection of the service's.", "Grade again."
            )
        proof = landed.proof()
    again, worker_again = _at_once(
        lambda: _recovered(world.new_client()), lambda: _recovered(world.clients(worker))
    )
    written = until(
        lambda: _write(world), lambda said: isinstance(said, Answer) and said.status == 201, SECONDS
    )
    return Outage(kind, proof, live, ready, worker_live, worker_ready, again, worker_again, written)


def await_serving(world: World) -> None:
    """Wait until the service serves again after a fault of ours; where it does not, other checks tell."""
    _at_once(lambda: _recovered(world.new_client()), lambda: _recovered(world.clients(world.worker().url)))
    until(lambda: _write(world), lambda said: _is(said, 201), SECONDS)


def _at_once(*asked: Callable[[], Said]) -> list[Said]:
    with ThreadPoolExecutor(len(asked)) as threads:
        return [each.result() for each in [threads.submit(one) for one in asked]]


def _asked(api: Api, path: str) -> Said:
    try:
        return api.get(path, seconds=SECONDS)
    except Failure as failure:
        return failure


def _fallen(api: Api) -> Said:
    """What /readyz says once it is no longer 200; what it says in the end where it stays so."""
    return until(lambda: _asked(api, "/readyz"), lambda said: not _is(said, 200), SECONDS)


def _recovered(api: Api) -> Said:
    return until(lambda: _asked(api, "/readyz"), lambda said: _is(said, 200))


def _write(world: World) -> Said:
    body = {"name": "After the outage", "email": "after@example.org"}
    try:
        return world.new_client().send("POST", "/v1/customers", tenant=world.tenant, json=body)
    except Failure as failure:
        return failure


def _is(said: Said, status: int) -> bool:
    return isinstance(said, Answer) and said.status == status


def expect_said(outage: Outage, said: Said, status: int, *, what: str, expected: str, because: str) -> Answer:
    """The answer to `what` with this status. Raises Failure for another, and for none."""
    did = outage.how(said)
    if isinstance(said, Failure):
        raise Failure(expected=expected, got=f"{what}: {said.got}", because=because, did=did)
    expect(
        said.status == status, expected=expected, got=f"{what}: {said.summary()}", because=because, did=did
    )
    return said
