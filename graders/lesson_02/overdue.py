"""What is overdue when nobody says as of which day."""

import random
from datetime import UTC, date, datetime, timedelta

from graders.check import expect
from graders.lesson_02 import invoices
from graders.lesson_02.population import Population
from graders.lesson_02.shapes import INVOICE, WITH_LINES, page_of, read
from graders.probes.api import Answer, Api


def expect_overdue_today(http: Api, people: Population, tenant: int, draw: random.Random) -> None:
    """Without `as_of` it is today, in UTC: what was due yesterday is overdue, and what is due today is not."""
    customer, today = people.free_customer(tenant, draw), datetime.now(UTC).date()
    late, due = (_sent(http, tenant, customer, today - timedelta(days), draw) for days in (1, 0))
    listed, answer = _walked(http, tenant)
    if datetime.now(UTC).date() == today:
        expect(
            late in listed and due not in listed,
            expected=f"Without as_of, invoice {late}, due yesterday, is overdue; {due}, due today, is not.",
            got=f"{late} is {'' if late in listed else 'not '}in the list, {due} is {'' if due in listed else 'not '}in it",
            because="Reminders go out by this list: a day too early annoys a customer, a day too late costs money.",
            did=answer.did,
        )


def _sent(http: Api, tenant: int, customer: str, due_on: date, draw: random.Random) -> str:
    id = str(invoices.draft(http, tenant, customer, {"lines": invoices.lines(draw)})["id"])
    read(invoices.ask_send(http, tenant, id, due_on.isoformat()), 200, WITH_LINES)
    return id


def _walked(http: Api, tenant: int) -> tuple[set[str], Answer]:
    """The ids on all pages, and the last answer."""
    ids: set[str] = set()
    query: dict[str, str | int] = {"limit": 100}
    while True:
        answer = http.get("/v1/invoices/overdue", tenant=tenant, params=query)
        page = read(answer, 200, page_of(INVOICE))
        before = len(ids)
        ids |= {str(item["id"]) for item in page["items"]}
        if page["next_cursor"] is None or len(ids) == before:
            return ids, answer
        query["cursor"] = page["next_cursor"]
