"""A failure inside, provoked through the front door: the database refuses names and numbers that only it knows of."""

import random
import re
from hashlib import md5

from graders.check import expect, fail
from graders.lesson_02 import customers, invoices
from graders.lesson_02.problems import expect_problem
from graders.lesson_02.refusals import Refusal
from graders.probes.api import Answer, Api

BECAUSE = "What an error message tells of tables, hosts and code is the map that an attacker starts from."
# As Python, Node and Java write it, also inside of a JSON string.
STACK = r"Traceback \(most recent|\bat [\w.$<> ]+\([^()]{1,200}:\d+(:\d+)?\)|\bFile .{1,300}, line \d+"
TELLTALES = (
    (re.compile(r"screening_list|legal-db|escrow_rules|books-db"), "the database's own message"),
    (re.compile(r"INSERT\s+INTO|UPDATE\s+\w+\s+SET|RETURNING\b"), "SQL"),
    (re.compile(STACK), "a stack"),
    (re.compile(r"PL/pgSQL|psycopg|sqlalchemy|asyncpg|node-postgres|pg-pool"), "the name of a library"),
)


def expect_no_leak(http: Api, tenant: int, draw: random.Random) -> None:
    """A name that the screening trigger refuses, and a number that another one does: 500, and nothing shows."""
    made = customers.created(http, tenant, customers.new(draw))
    name = f"Embargo {draw.randrange(10**9)}"
    body = {**customers.new(draw), "name": name}
    for answer in (
        http.post("/v1/customers", tenant=tenant, json=body),
        customers.put(http, tenant, made["id"], body),
        customers.patch(http, tenant, made["id"], {"name": name}),
    ):
        _expect_mute(answer, name)
    number = f"Escrow {draw.randrange(10**9)}"
    body = {"number": number, "lines": invoices.lines(draw)}
    _expect_mute(invoices.ask_draft(http, tenant, made["id"], body), number)


def _expect_mute(answer: Answer, name: str) -> None:
    expect(
        answer.status == 500,
        expected="Status 500: the database refuses this for reasons that the API does not know.",
        got=answer.summary(),
        because="A failure that looks like success is worse than the failure: nobody hears of it.",
        did=answer.did,
    )
    text = answer.body.decode("utf-8", "replace") + "\n" + "\n".join(map(str, answer.headers.values()))
    secret = md5(name.encode(), usedforsecurity=False).hexdigest()
    for pattern, what in ((re.compile(secret), "the database's own message"), *TELLTALES):
        if pattern.search(text):
            fail(
                expected="An answer that tells nothing of the inside; the log has the rest.",
                got=f"{what} in the answer\n{answer.summary()}",
                because=BECAUSE,
                did=answer.did,
            )
    expect_problem(Refusal("the service failed", 500, "POST", "", None), answer)
