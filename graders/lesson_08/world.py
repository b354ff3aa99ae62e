"""The service as lesson-08 calls it: a tenant's callers, invoices that are charged, and the worker beside."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graders.check import Failure, expect
from graders.lesson_08.waiting import until
from graders.probes.api import Answer, Api
from graders.probes.exposition import Page, page_of
from graders.probes.service import Operated, Process

BECAUSE_KEPT = "What a service tells of itself is worth little while it does not do what it is for."
ENDED = ("done", "dead")


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
                got="none does: the Procfile names none, or it has ended",
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
        return (api or self.api).send(method, path, tenant=self.tenant, json=json, headers=all_headers)

    def word(self) -> str:
        """A word that nobody has by chance."""
        return f"{self.draw.choice('bdfgklmnprst')}{self.draw.getrandbits(40):010x}"

    def customer(self, **more: object) -> str:
        body = {"name": f"Customer {self.word()}", "email": f"{self.word()}@example.org", **more}
        return str(done(self.send("POST", "/v1/customers", body), 201)["id"])

    def draft(self, customer: str | None = None) -> dict[str, Any]:
        lines = [{"description": "Work", "quantity": 1, "unit_price_cents": 90_000}]
        body = {"number": self.word().upper(), "lines": lines}
        return done(self.send("POST", f"/v1/customers/{customer or self.customer()}/invoices", body), 201)

    def sent(self, customer: str | None = None) -> dict[str, Any]:
        """A sent invoice; its mail is queued."""
        invoice = self.draft(customer)
        return done(self.send("POST", f"/v1/invoices/{invoice['id']}/send", {"due_on": "2026-12-31"}), 200)

    def charge(self, invoice: str, headers: Mapping[str, str] | None = None, cents: int = 100) -> Answer:
        """The order of a charge (202), with its job in the body."""
        answer = self.send(
            "POST", f"/v1/invoices/{invoice}/charges", {"amount_cents": cents}, headers=headers
        )
        return answer.expect(202, because=BECAUSE_KEPT)

    def job(self, id: str) -> dict[str, Any]:
        return done(self.send("GET", f"/v1/jobs/{id}"), 200)

    def ended(self, id: str) -> dict[str, Any]:
        """The job once it has ended. Raises Failure where it does not."""
        job = until(lambda: self.job(id), lambda job: job["status"] in ENDED)
        expect(
            job["status"] in ENDED,
            expected="The job ends: `done` or `dead`.",
            got=f"after a long wait it is {job['status']}, with {job['attempts']} attempts",
            because=BECAUSE_KEPT,
        )
        return job

    def waiting(self) -> int:
        """How many of the tenant's jobs are neither done nor dead.

        What has ended stays so. Of those that are open, one could be asked for as running while it is queued, and then the
        other way round.
        """
        every, *ended = (
            int(done(self.send("GET", f"/v1/jobs?limit=1{status}"), 200)["total"])
            for status in ("", "&status=done", "&status=dead")
        )
        return every - sum(ended)

    def all_ended(self) -> None:
        """Wait until no job of the tenant's is open."""
        left = until(self.waiting, lambda left: left == 0)
        expect(
            left == 0,
            expected="The jobs end.",
            got=f"after a long wait {left} of them are still open",
            because=BECAUSE_KEPT,
        )

    def page(self) -> Page:
        """What `web` tells of itself now."""
        return page_of(self.api.get("/metrics"))

    def worker_page(self) -> Page:
        """What `worker` tells of itself now."""
        return page_of(self.clients(self.worker().url).get("/metrics"))


def done(answer: Answer, status: int) -> dict[str, Any]:
    """The body of an answer that must have this status."""
    body = answer.expect(status, because=BECAUSE_KEPT).json()
    expect(
        isinstance(body, dict),
        expected="An object, as CONTRACT.md has it.",
        got=answer.summary(),
        because=BECAUSE_KEPT,
        did=answer.did,
    )
    return dict(body)
