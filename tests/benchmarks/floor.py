"""The floor: the least that anything does which grades this service on these data. A bare script, no grader in it.

The same as in a grade: a copy of the same stopped cluster (made by the kit's own copying, which is
faster than shutil.copytree), Postgres and Valkey with the same configuration, fresh passwords, a copy of the service, its
release and its web process on each database that the grade used, the same requests in the same order with the same
headers over kept-alive connections, the servers' end, the copies removed.
Left out, that is the kit's overhead: the command line, keeper and conductor, pytest, checks of the copy and of the tree,
sandbox, the service's log being read, everything that the checks ask of Postgres (right answers, costs, plans, locks) and
compute from the answers, writers at work during the second release, the report. A few requests come back with another
status than in the grade: they ask for what the checks had written by SQL.
"""

import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from compose import postgres, roles, tree
from compose.identity import stores_identity
from compose.passwords import new_password
from compose.ports import HOST
from compose.postgres import APP, GRADE, OWNER, Cluster
from compose.stores import Login
from tests.benchmarks import bare, traffic
from tests.benchmarks.bare import Logins
from tests.benchmarks.plan import Laps, Plan, given_plan, lap, report_laps


def run(plan: Plan, laps: Laps) -> None:
    """One run, from the copy to the end of the servers."""
    exchanges = traffic.load(Path(plan.traffic))
    with ExitStack() as stack:
        with lap(laps, "files"):
            service = bare.service_tree(plan)
        with lap(laps, "stores"):
            cache_url = stack.enter_context(bare.cache(plan))
            owner, app = Login(OWNER, new_password()), Login(APP, new_password())
            port = stack.enter_context(_postgres(plan, (owner, app)))
        wanted = [
            Logins(name, _url(owner, port, name), _url(app, port, name))
            for name in traffic.databases(exchanges)
        ]
        ports = bare.services(plan, service, wanted, cache_url, laps, stack)
        with lap(laps, "requests"):
            laps["different"] = traffic.replay(exchanges, ports)
        with lap(laps, "stop"):
            stack.close()
            shutil.rmtree(service)


@contextmanager
def _postgres(plan: Plan, logins: tuple[Login, ...]) -> Iterator[int]:
    """Postgres on a copy of the cluster, the logins renewed; its port."""
    identity, port = stores_identity(), bare.free_port()
    home = identity.directory(Path(plan.folder, "postgres"))
    cluster = Cluster(home, plan.password)
    identity.directory(cluster.log.parent)
    source = Path(plan.cluster)
    tree.copy(source, tree.listing(source), cluster.data, identity)
    identity.write(cluster.data / "postgresql.conf", postgres.settings(port, cluster, GRADE))
    identity.write(cluster.data / "pg_hba.conf", postgres.LOGINS)
    command: list[str | Path] = [plan.postgres, "-D", cluster.data]
    with bare.running(command, home, user=identity.process(), end=signal.SIGQUIT):
        url = _url(cluster.grader(), port, cluster.first_database)
        bare.until(lambda: bare.database_lets_in(url), "Postgres")
        roles.renew_passwords(port, cluster.grader(), logins)
        yield port
    shutil.rmtree(home)


def _url(login: Login, port: int, database: str) -> str:
    return f"postgresql://{login.user}:{login.password}@{HOST}:{port}/{database}"


if __name__ == "__main__":
    plan, laps = given_plan(), Laps()
    run(plan, laps)
    report_laps(plan, laps)
