"""A charge and two mails are ordered whose calls to the upstreams end in every way; their tries take a while."""

from dataclasses import dataclass

from graders.lesson_08.world import World
from graders.probes.exposition import Page
from graders.probes.upstreams import CUT, Upstreams, refuse

# How many of the calls end in which way, by upstream and outcome.
ENDINGS = {
    ("payments", "success"): 1,
    ("payments", "failed"): 2,
    ("payments", "no-answer"): 1,
    ("payments", "refused"): 0,
    ("mail", "success"): 1,
    ("mail", "failed"): 1,
    ("mail", "no-answer"): 0,
    ("mail", "refused"): 1,
}


@dataclass(frozen=True)
class Ordered:
    """What `worker` told before, and the number of the invoice that is charged."""

    before: Page
    number: str


def ordered(world: World, upstreams: Upstreams) -> Ordered:
    """Order them, and wait for none."""
    world.all_ended()
    charged, email = world.draft(), f"{world.word()}@example.org"
    mailed = world.draft(world.customer(email=email))
    upstreams.mail.script(email, refuse(500), refuse(404))
    upstreams.payments.script(charged["number"], refuse(429), CUT, refuse(503))
    before = world.worker_page()
    for invoice in (charged, mailed):
        world.send("POST", f"/v1/invoices/{invoice['id']}/send", {"due_on": "2026-12-31"})
    world.charge(charged["id"])
    return Ordered(before, charged["number"])
