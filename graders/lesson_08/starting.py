"""Two more `web` processes are started while something is away: each once, for all checks that need one more of them."""

from collections.abc import Callable
from dataclasses import dataclass

from graders.check import CannotJudge
from graders.lesson_08.outages import await_serving
from graders.lesson_08.waiting import until
from graders.lesson_08.world import World
from graders.probes.api import status_of
from graders.probes.faults import Gates
from graders.probes.service import Operated, Process

NEW_VERSION = "v2"
LOOK = 2.0
# Port 1 of the service's own loopback: nobody listens there, and connections are refused.
NO_CACHE = {"CACHE_URL": "redis://:nobody@127.0.0.1:1/0"}


@dataclass(frozen=True)
class Started:
    """A process that was started while something was away, and what its /readyz said meanwhile and afterwards.

    None: nothing answered. code: its exit code, where it has ended.
    """

    web: Process
    early: int | None
    ready: int | None
    code: int | None

    def told(self) -> str:
        """How it stands."""
        if self.code is not None:
            return f"ended with code {self.code}"
        return f"status {self.ready} of /readyz" if self.ready else "nothing answers"

    def or_another(self, service: Operated, version: str | None = None) -> Process:
        """This one, or one more where it does not serve."""
        if self.ready == 200:
            return self.web
        return service.start("web", {"VERSION": version} if version else None)


def started_without_postgres(world: World, gates: Gates, meanwhile: Callable[[], object]) -> Started:
    """Of the new version. Postgres is silent first, then cuts connections, and then is well.

    meanwhile: what to do as soon as Postgres is well; the process may take its time to ask again.
    """
    before = gates.postgres.connections
    with gates.postgres.hold():
        web = world.service.start("web", {"VERSION": NEW_VERSION}, awaited=False)
        came = until(lambda: gates.postgres.connections > before, bool)
        early = status_of(f"{web.url}/readyz", LOOK)
    # Its first connection is cut before anything is said on it.
    with gates.postgres.cut() as landed:
        landed.await_felt(1)
    meanwhile()
    await_serving(world)
    if not came:
        raise CannotJudge("The new process did not ask for Postgres.", "Grade again.")
    return ended_up(web, early)


def begun_without_cache(world: World) -> Process:
    """Its cache refuses connections, and that of the others is well."""
    return world.service.start("web", NO_CACHE, awaited=False)


def ended_up(web: Process, early: int | None = None) -> Started:
    """What became of a process that was started; `early`: what its /readyz said before."""

    def ready() -> int | None:
        return status_of(f"{web.url}/readyz", LOOK)

    def over(status: int | None) -> bool:
        return status == 200 or (status is None and web.ended_within(0) is not None)

    status = until(ready, over)
    return Started(web, early, status, web.ended_within(0))
