"""The service where there are jobs: web and worker beside a queue, a cache and two upstreams."""

import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import redis

from compose.stores import RedisServer
from graders.probes.played import PlayedServer
from graders.probes.upstreams import Upstream, environment, mail_server, payment_provider
from tests.reference_service.calling import Tenant, ok
from tests.reference_service.running import (
    SERVICE,
    Database,
    Row,
    Web,
    eventually,
    procfile,
    started,
    web_env,
)

QUICK = {"RETRY_BASE_MS": "20", "UPSTREAM_TIMEOUT_MS": "2000", "JOB_LEASE_SECONDS": "1"}


@dataclass
class Outside:
    """The upstreams that a test plays, each with its server."""

    mail: Upstream
    payments: Upstream
    environment: Mapping[str, str]


@contextmanager
def outside() -> Iterator[Outside]:
    with ExitStack() as stack:
        mail, payments = mail_server(), payment_provider()
        servers = [PlayedServer(each.answer) for each in (mail, payments)]
        for server, upstream in zip(servers, (mail, payments), strict=True):
            stack.callback(server.close)
            stack.callback(upstream.release)
        yield Outside(mail, payments, environment(servers[0].url, servers[1].url))


@dataclass
class Worker:
    """A running `worker` process and what it printed."""

    popen: "subprocess.Popen[bytes]"
    lines: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.popen.stdout
        self.lines.extend(iter(self.popen.stdout.readline, b""))

    def said(self, text: str) -> bool:
        return any(text.encode() in line for line in list(self.lines))

    def terminate(self) -> None:
        self.popen.send_signal(signal.SIGTERM)

    def ended(self) -> int:
        code = self.popen.wait(20)
        self.reader.join(20)
        return code


@contextmanager
def working(env: Mapping[str, str], says: str = '"working"') -> Iterator[Worker]:
    """The `worker` process, awaited until it works, and killed in the end."""
    popen = subprocess.Popen(
        ["/bin/sh", "-c", f"exec {procfile()['worker']}"],
        cwd=SERVICE,
        env=dict(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    worker = Worker(popen)
    try:
        eventually(lambda: worker.said(says) or popen.poll() is not None, f"the worker says {says}")
        assert worker.said(says), worker.lines
        yield worker
    finally:
        popen.kill()
        worker.ended()
        assert popen.stdout
        popen.stdout.close()


@dataclass
class Jobs:
    """One service with jobs: a `web`, a tenant, and what a test needs to start workers."""

    web: Web
    tenant: Tenant
    env: Mapping[str, str]
    outside: Outside
    queue: "redis.Redis"
    cache: "redis.Redis"

    def working(self, **more: str) -> "Iterator[Worker]":
        return working({**self.env, **more})  # type: ignore[return-value]

    def job(self, path: str) -> Row:
        return ok(self.tenant.get(path))

    def ended(self, path: str) -> Row:
        """The job, once it is done or dead."""
        eventually(lambda: self.job(path)["status"] in ("done", "dead"), f"{path} ends")
        return self.job(path)

    def dead(self) -> list[Row]:
        return list(ok(self.tenant.get("/v1/jobs", status="dead"))["items"])

    def invoice(self, email: str, cents: int = 1000) -> Row:
        """A sent invoice of a new customer; its mail is queued."""
        return self.tenant.sent(self.tenant.customer(email=email), cents)


def observer(server: RedisServer) -> "redis.Redis":
    login = server.grader
    return redis.Redis(server.host, server.port, username=login.user, password=login.password)


@contextmanager
def with_jobs(
    database: Database,
    base_env: Mapping[str, str],
    queue: RedisServer,
    cache: RedisServer,
    **more: str,
) -> Iterator[Jobs]:
    """A `web` process with a queue, a cache and upstreams; no worker yet."""
    with outside() as around, observer(queue) as looks, observer(cache) as peeks:
        looks.flushall()
        peeks.flushall()
        stores = {"QUEUE_URL": queue.url(), "CACHE_URL": cache.url()}
        env = {**web_env(database, {**base_env, **stores, **QUICK, **more}), **around.environment}
        with started(env) as web:
            tenant = Tenant(web, database, database.add_tenant())
            yield Jobs(web, tenant, env, around, looks, peeks)
