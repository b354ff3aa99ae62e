"""The three lists: one envelope, one way of paging, and walks that hold still while others write."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from graders.check import expect
from graders.lesson_02 import customers, invoices
from graders.lesson_02.population import Population
from graders.lesson_02.shapes import CUSTOMER, INVOICE, Shape, page_of, read
from graders.probes.api import Answer, Api

# The due date of some: they are not overdue on the day itself.
AS_OF = "2025-09-15"
BECAUSE_ALIKE = (
    "Who can page through one list wants to page through the next with the same ten lines of code."
)
BECAUSE_STABLE = (
    "An export that repeats some customers and leaves out others is noticed months later, by an auditor."
)


@dataclass(frozen=True)
class List:
    """One list: where it is for a tenant, what is in it, and how others add to it while somebody walks."""

    name: str
    path: Callable[[Population, int], str]
    query: dict[str, str]
    shape: Shape
    rows: Callable[[Population, int], list[str]]
    disturb: Callable[[Api, Population, int, random.Random], None]


def expect_envelope(http: Api, a_list: List, tenant: int, people: Population) -> None:
    """The first page, its default size, the page after it, and the last one."""
    ids = a_list.rows(people, tenant)
    first, page = _page(http, a_list, tenant, people)
    _expect_ids(a_list, first, page, ids[:20], "the first page; limit is 20 where it is left out")
    cursor: str | None = page["next_cursor"]
    _expect_next(first, page, len(ids) > 20)
    second, rest = _page(http, a_list, tenant, people, limit="100", cursor=str(cursor))
    _expect_ids(a_list, second, rest, ids[20:120], "the page that follows, with another limit")
    last, all_of_it = _page(http, a_list, tenant, people, limit=str(min(len(ids), 100)))
    _expect_next(last, all_of_it, len(ids) > 100)


def expect_undisturbed(
    processes: tuple[Api, ...], a_list: List, tenant: int, people: Population, draw: random.Random
) -> None:
    """A walk in small pages, asked of the web processes in turn, with something new after each of the first."""
    at_first = a_list.rows(people, tenant)
    seen: list[str] = []
    cursor = ""
    answer: Answer | None = None
    for turn in range(len(at_first) + 50):
        http = processes[turn % len(processes)]
        answer, page = _page(http, a_list, tenant, people, cursor, limit="9")
        seen += [str(item["id"]) for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = page["next_cursor"]
        if turn < 4:
            a_list.disturb(http, people, tenant, draw)
    did = answer.did if answer else ""
    repeated = sorted({id for id in seen if seen.count(id) > 1}, key=seen.index)
    stayed = [id for id in at_first if id in set(a_list.rows(people, tenant))]
    missed = [id for id in stayed if id not in seen]
    expect(
        not repeated and not missed,
        expected=f"{a_list.name}: each of the {len(stayed)} items that were there all the time comes once.",
        got="\n".join(
            [f"more than once: {', '.join(repeated[:5])}"] * bool(repeated)
            + [f"never: {', '.join(missed[:5])}"] * bool(missed)
        ),
        because=BECAUSE_STABLE,
        did=did,
    )


def _page(
    http: Api, a_list: List, tenant: int, people: Population, follows: str = "", **query: str
) -> tuple[Answer, dict[str, Any]]:
    """follows: a cursor that goes into the URL as it came, since it is promised to be safe there."""
    target = f"{a_list.path(people, tenant)}?{urlencode({**a_list.query, **query})}"
    answer = http.get(f"{target}&cursor={follows}" if follows else target, tenant=tenant)
    expect(
        not follows or answer.status == 200,
        expected="Status 200: the cursor came with the page before. It goes into the URL as it is, and here to another web "
        "process on the same database (by hand: stop `octo_lab run` and start it again in between).",
        got=answer.summary(),
        because="Behind one address there are several processes, and each is restarted now and then: no walk may break for it.",
        did=answer.did,
    )
    return answer, read(answer, 200, page_of(a_list.shape))


def _expect_ids(a_list: List, answer: Answer, page: dict[str, Any], ids: list[str], what: str) -> None:
    got = [str(item["id"]) for item in page["items"]]
    expect(
        got == ids,
        expected=f"{a_list.name}, {what}: {len(ids)} items, ids {_few(ids)}",
        got=f"{len(got)} items, ids {_few(got)}",
        because=BECAUSE_ALIKE,
        did=answer.did,
    )


def _expect_next(answer: Answer, page: dict[str, Any], more: bool) -> None:
    expect(
        (page["next_cursor"] is not None) is more,
        expected="next_cursor is text, since more follows."
        if more
        else "next_cursor is null: nothing follows.",
        got=f"next_cursor is {page['next_cursor']!r}",
        because=BECAUSE_ALIKE,
        did=answer.did,
    )


def _few(ids: list[str]) -> str:
    return ", ".join(ids if len(ids) <= 6 else [*ids[:3], "...", *ids[-2:]])


def _customers(people: Population, tenant: int) -> list[str]:
    rows = people.postgres.rows(
        "SELECT id::text FROM public.customers WHERE tenant_id = %s ORDER BY customers.id", [tenant]
    )
    return [id for (id,) in rows]


def _invoices(people: Population, tenant: int) -> list[str]:
    query = """
        SELECT id::text FROM public.invoices WHERE customer_id = %s
        ORDER BY invoices.created_at DESC, invoices.id DESC
    """
    return [id for (id,) in people.postgres.rows(query, [int(people.customer_with_many(tenant))])]


def _overdue(people: Population, tenant: int) -> list[str]:
    query = """
        SELECT id::text FROM public.invoices WHERE tenant_id = %s AND status = 'sent' AND due_on < %s::date
        ORDER BY invoices.due_on, invoices.id
    """
    return [id for (id,) in people.postgres.rows(query, [tenant, AS_OF])]


def _new_customer(http: Api, people: Population, tenant: int, draw: random.Random) -> None:
    """A new one comes at the end, where nothing moves; so the first that can go is deleted, too."""
    customers.created(http, tenant, customers.new(draw))
    gone = people.first_free_customer(tenant)
    http.send("DELETE", f"/v1/customers/{gone}", tenant=tenant).expect(204, because=BECAUSE_STABLE)


def _new_invoice(http: Api, people: Population, tenant: int, draw: random.Random) -> None:
    customer = people.customer_with_many(tenant)
    invoices.draft(http, tenant, customer, {"lines": invoices.lines(draw)})


def _newly_overdue(http: Api, people: Population, tenant: int, draw: random.Random) -> None:
    customer = people.customer_with_many(tenant)
    draft = invoices.draft(http, tenant, customer, {"lines": invoices.lines(draw)})
    invoices.ask_send(http, tenant, draft["id"], "2024-01-01").expect(200, because=BECAUSE_STABLE)


LISTS = (
    List("The customers", lambda *_: "/v1/customers", {}, CUSTOMER, _customers, _new_customer),
    List(
        "A customer's invoices",
        lambda people, tenant: f"/v1/customers/{people.customer_with_many(tenant)}/invoices",
        {},
        INVOICE,
        _invoices,
        _new_invoice,
    ),
    List("Overdue", lambda *_: "/v1/invoices/overdue", {"as_of": AS_OF}, INVOICE, _overdue, _newly_overdue),
)
