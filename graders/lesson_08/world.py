"""The service as lesson-08 calls it: a tenant's callers, invoices that are charged, and the worker beside."""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from graders.check import Failure, expect
from graders.lesson_08.waiting import until
from graders.probes.api import SHOWN_AS, Answer, Api
from graders.probes.exposition import Page, page_of
from graders.probes.service import Operated, Process

BECAUSE_KEPT = "What a service tells of itself is worth little while it does not do what it is for."
ENDED = ("done", "dead")
WORKER_SHOWN_AS = "http://127.0.0.1:8085"  # where `octo_lab run` has the worker listen


@dataclass
class World:
    """Who calls, through which `web`. clients: makes another connection, for who must not wait for the others."""

    api: Api
    service: Operated
    clients: Callable[[str], Api]
    draw: random.Random = field(default_factory=random.Random)
    tenant: int = 1
    user: str = "carol"

    @property
    def url(self) -> str:
        return self.service.web("billing")

    def worker(self) -> Process:
        """The worker that runs. Raises Failure."""
        running = self.service.processes("worker")
        if not running:
            raise Failure(
                expected="A `worker` runs beside `web`.",
                got="no worker runs: the Procfile names none, or it has ended",
                because="Jobs that nobody does pile up, and nobody notices until a customer asks.",
                did="cat Procfile",
            )
        return running[-1]

    def new_client(self) -> Api:
        return self.clients(self.url)

    def send(
        self,
        method: str,
        path: str,
        json: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        api: Api | None = None,
    ) -> Answer:
        """One request of the user's for the tenant."""
        all_headers = {"X-User-ID": self.user, **dict(headers or {})}
        with told_of(f"{method} {path}"):
            return (api or self.api).send(method, path, tenant=self.tenant, json=json, headers=all_headers)

    def word(self) -> str:
        """A word that nobody has by chance."""
        return f"{self.draw.choice('bdfgklmnprst')}{self.draw.getrandbits(40):010x}"

    def customer(self, **more: object) -> str:
        body = {"name": f"Customer {self.word()}", "email": f"{self.word()}@example.org", **more}
        return str(done(self.send("POST", "/v1/customers", body), 201, "POST /v1/customers")["id"])

    def draft(self, customer: str | None = None) -> dict[str, Any]:
        lines = [{"description": "Work", "quantity": 1, "unit_price_cents": 90_000}]
        body = {"number": self.word().upper(), "lines": lines}
        path = f"/v1/customers/{customer or self.customer()}/invoices"
        return done(self.send("POST", path, body), 201, "POST of an invoice")

    def sent(self, customer: str | None = None) -> dict[str, Any]:
        """A sent invoice; its mail is queued."""
        invoice = self.draft(customer)
        path = f"/v1/invoices/{invoice['id']}/send"
        return done(self.send("POST", path, {"due_on": "2026-12-31"}), 200, "POST of .../send")

    def charge(self, invoice: str, headers: Mapping[str, str] | None = None, cents: int = 100) -> Answer:
        """The order of a charge (202), with its job in the body."""
        answer = self.send(
            "POST", f"/v1/invoices/{invoice}/charges", {"amount_cents": cents}, headers=headers
        )
        return expect_status("POST of .../charges", answer, 202)

    def job(self, id: str) -> dict[str, Any]:
        return done(self.send("GET", f"/v1/jobs/{id}"), 200, "GET of a job")

    def ended(self, id: str) -> dict[str, Any]:
        """The job once it has ended. Raises Failure where it does not."""
        job = until(lambda: self.job(id), lambda job: job["status"] in ENDED)
        expect(
            job["status"] in ENDED,
            expected="The job ends: `done` or `dead`.",
            got=f"a job after a long wait: still {job['status']}, with {job['attempts']} attempts",
            because=BECAUSE_KEPT,
        )
        return job

    def waiting(self) -> int:
        """How many of the tenant's jobs are neither done nor dead.

        What has ended stays so. Of those that are open, one could be asked for as running while it is queued, and then the
        other way round.
        """
        every, *ended = (
            int(done(self.send("GET", f"/v1/jobs?limit=1{status}"), 200, "GET /v1/jobs")["total"])
            for status in ("", "&status=done", "&status=dead")
        )
        return every - sum(ended)

    def all_ended(self) -> None:
        """Wait until no job of the tenant's is open."""
        left = until(self.waiting, lambda left: left == 0)
        expect(
            left == 0,
            expected="The jobs end.",
            got=f"{left} jobs are still open after a long wait",
            because=BECAUSE_KEPT,
        )

    def page(self) -> Page:
        """What `web` tells of itself now."""
        with told_of("/metrics of web"):
            return page_of(self.api.get("/metrics"))

    def worker_page(self) -> Page:
        """What `worker` tells of itself now."""
        with told_of("/metrics of worker"):
            return page_of(self.clients(self.worker().url).get("/metrics"))


@contextmanager
def told_of(subject: str) -> Iterator[None]:
    """What fails in the block is told of the subject: where a failure has only one row, that is what it is read by."""
    try:
        yield
    except Failure as failure:
        raise Failure(
            expected=failure.expected,
            got=f"{subject}: {failure.got}",
            because=failure.because,
            did=failure.did,
        ) from None


def at_worker(did: str) -> str:
    """The request as whoever tries it by hand sends it to `worker`."""
    return did.replace(SHOWN_AS, WORKER_SHOWN_AS)


def expect_status(what: str, answer: Answer, status: int, because: str = BECAUSE_KEPT) -> Answer:
    """The answer to `what`, if it has the promised status."""
    with told_of(what):
        return answer.expect(status, because=because)


def done(answer: Answer, status: int, what: str) -> dict[str, Any]:
    """The body of the answer to `what`, which must have this status."""
    with told_of(what):
        body = answer.expect(status, because=BECAUSE_KEPT).json()
    expect(
        isinstance(body, dict),
        expected="An object, as CONTRACT.md has it.",
        got=f"{what}: {answer.summary()}",
        because=BECAUSE_KEPT,
        did=answer.did,
    )
    return dict(body)
