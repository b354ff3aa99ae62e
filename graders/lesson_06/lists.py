"""What lists could tell of another tenant: by their items, their counts, their filters, their orders, their cursors."""

from collections.abc import Iterator
from typing import Any, LiteralString

from graders.check import expect, fail
from graders.lesson_06.callers import BECAUSE_CONTRACT, Caller
from graders.lesson_06.world import MINE, THEIRS, World
from graders.probes.api import Answer

STATUSES = ("draft", "sent", "paid", "void")
OTHER_FILTERS: tuple[dict[str, str], ...] = (
    {},
    *({"status": status} for status in STATUSES),
    {"sort": "-total_cents"},
    {"status": "sent", "sort": "total_cents"},
)
SORTS = ("id", "-id", "total_cents", "-total_cents")
BECAUSE = "A number is enough: how many customers a rival has, and how much they owe."
AS_OF = "2026-12-31"

CUSTOMERS: LiteralString = "SELECT id::text FROM public.customers WHERE tenant_id = %s ORDER BY customers.id"
INVOICE_IDS: LiteralString = "SELECT id::text FROM public.invoices WHERE tenant_id = %s"
USERS: LiteralString = "SELECT id::text FROM public.users WHERE tenant_id = %s ORDER BY users.id"
BUSY_CUSTOMERS: LiteralString = """
    SELECT max(customer_id)::text FROM public.invoices WHERE tenant_id = %s AND status = 'sent'
"""
OF_CUSTOMERS: LiteralString = (
    "SELECT id::text, total_cents, status, customer_id::text FROM public.invoices WHERE tenant_id = %s"
)
OVERDUE: LiteralString = """
    SELECT id::text FROM public.invoices WHERE tenant_id = %s AND status = 'sent' AND due_on < %s::date
    ORDER BY due_on, invoices.id
"""
INVOICES: LiteralString = (
    "SELECT id::text, total_cents, status FROM public.invoices WHERE tenant_id = %s ORDER BY invoices.id"
)
ANOTHER: LiteralString = """
    INSERT INTO public.invoices (tenant_id, customer_id, number, currency, total_cents)
    SELECT tenant_id, customer_id, 'SIDE-' || max(id), max(currency), 1 FROM public.invoices
    WHERE tenant_id = %s GROUP BY tenant_id, customer_id LIMIT 1
"""


def expect_own_only(world: World) -> None:
    """Every list is exactly the tenant's, for either of the two."""
    for tenant in (MINE, THEIRS):
        accountant, admin = world.caller("accountant", tenant), world.caller("admin", tenant)
        rows = world.rows(INVOICES, [tenant])
        _expect_list(accountant, "/v1/customers", {}, _ids(world, CUSTOMERS, tenant))
        _expect_list(admin, "/v1/users", {}, _ids(world, USERS, tenant))
        _expect_list(
            accountant, "/v1/invoices/overdue", {"as_of": AS_OF}, _ids(world, OVERDUE, tenant, AS_OF)
        )
        for sort in SORTS:
            right = [id for id, _, _ in sorted(rows, key=_key(sort), reverse=sort.startswith("-"))]
            _expect_list(accountant, "/v1/admin/invoices", {"sort": sort}, right, counted=True)
        _expect_filtered(world, accountant)


def expect_filters_tell_nothing(world: World) -> None:
    """A filter by another tenant's customer gives what a filter by nobody gives."""
    accountant = world.caller("accountant")
    own = world.customer()
    found = accountant.get("/v1/admin/invoices", customer_id=own, limit=1).expect(
        200, because=BECAUSE_CONTRACT
    )
    items, _, total = _told(found)
    expect(
        bool(items) and isinstance(total, int) and total > 0,
        expected="Invoices of one of the tenant's own customers, and how many they are.",
        got=found.summary(),
        because=BECAUSE_CONTRACT,
        did=found.did,
    )
    of_theirs = [id for (id,) in world.rows(BUSY_CUSTOMERS, [THEIRS])]
    for customer in (*of_theirs, world.nobodys_id(), "nobody"):
        for other in OTHER_FILTERS:
            answer = accountant.get("/v1/admin/invoices", customer_id=customer, **other)
            expect(
                answer.status == 200 and _told(answer) == ([], None, 0),
                expected='{"items": [], "next_cursor": null, "total": 0} for a customer whom the tenant does not have.',
                got=answer.summary(),
                because=BECAUSE,
                did=answer.did,
            )


def _expect_filtered(world: World, caller: Caller) -> None:
    """Filters together, in every order: what the tenant's own records say."""
    own, rows = world.customer(caller.tenant), world.rows(OF_CUSTOMERS, [caller.tenant])
    for sort in SORTS:
        ordered = sorted(rows, key=_key(sort), reverse=sort.startswith("-"))
        for status in STATUSES:
            right = [id for id, _, its, _ in ordered if its == status]
            _expect_list(caller, "/v1/admin/invoices", {"status": status, "sort": sort}, right, counted=True)
        for status in ("", "sent", "draft"):
            right = [id for id, _, its, whose in ordered if whose == own and status in ("", its)]
            query = {"customer_id": own, "sort": sort} | ({"status": status} if status else {})
            _expect_list(caller, "/v1/admin/invoices", query, right, counted=True)


def expect_orders_are_few(world: World) -> None:
    """Whoever can order by a column can read it, value by value."""
    for sort in ("tenant_id", "customers.email", "id;SELECT 1", "(SELECT role FROM users LIMIT 1)"):
        answer = world.caller("accountant").get("/v1/admin/invoices", sort=sort)
        expect(
            answer.status == 422,
            expected=f"Status 422 for sort={sort}: only {', '.join(SORTS)} are orders.",
            got=answer.summary(),
            because="By asking for other orders, one reads columns that no answer shows.",
            did=answer.did,
        )


def expect_cursors_keep_their_order(world: World) -> None:
    """A cursor is a place in one order."""
    accountant = world.caller("accountant")
    first = accountant.get("/v1/admin/invoices", sort="total_cents", limit=2).expect(
        200, because=BECAUSE_CONTRACT
    )
    answer = accountant.get("/v1/admin/invoices", sort="-id", limit=2, cursor=str(_told(first)[1]))
    expect(
        answer.status == 422,
        expected="Status 422 for a cursor with another sort than the one it came with.",
        got=answer.summary(),
        because="Read in another order, it leaves records out, and nobody notices.",
        did=answer.did,
    )


def expect_cursors_lead_nowhere(world: World) -> None:
    """Another tenant's cursor is a place in an order, and no key to their rows."""
    for path, role, records in (
        ("/v1/admin/invoices", "accountant", INVOICE_IDS),
        ("/v1/customers", "viewer", CUSTOMERS),
        ("/v1/users", "auditor", USERS),
    ):
        first = world.caller(role, THEIRS).get(path, limit=2).expect(200, because=BECAUSE_CONTRACT)
        cursor = _told(first)[1]
        if not isinstance(cursor, str):
            fail(
                expected="A next_cursor: there are more than two.",
                got=first.summary(),
                because=BECAUSE_CONTRACT,
                did=first.did,
            )
        answer = world.caller(role).get(path, limit=100, cursor=cursor)
        items = _told(answer)[0] if answer.status == 200 else []
        own = _ids(world, records, MINE)
        expect(
            answer.status in (200, 422)
            and isinstance(items, list)
            and all(isinstance(item, dict) and item.get("id") in own for item in items),
            expected="With another tenant's cursor: one's own records, or 422.",
            got=answer.summary(),
            because=BECAUSE,
            did=answer.did,
        )


def expect_counts_still(world: World) -> None:
    """Another tenant's new invoice changes no number here."""
    accountant = world.caller("accountant")
    before = accountant.get("/v1/admin/invoices", limit=1).expect(200, because=BECAUSE_CONTRACT)
    world.write(ANOTHER, [THEIRS])
    after = accountant.get("/v1/admin/invoices", limit=1)
    expect(
        after.status == 200 and _told(after) == _told(before),
        expected="The same page and the same total as before another tenant wrote an invoice.",
        got=f"before: {before.summary()}\nafter: {after.summary()}",
        because=BECAUSE,
        did=after.did,
    )


def _expect_list(
    caller: Caller, path: str, query: dict[str, str], right: list[str], *, counted: bool = False
) -> None:
    found: list[str] = []
    for answer, items in _pages(caller, path, query, len(right) // 50 + 3):
        found += items
        total = _told(answer)[2] if counted else len(right)
        expect(
            total == len(right),
            expected=f"total is {len(right)}: so many of the tenant's invoices match.",
            got=answer.summary(),
            because=BECAUSE,
            did=answer.did,
        )
    strangers = [id for id in found if id not in right]
    expect(
        found == right,
        expected=f"The tenant's own records and no others, {len(right)} in all, in the promised order.",
        got=f"{len(found)} records"
        + (f", among them {', '.join(strangers[:3])}, which are another's" if strangers else ""),
        because=BECAUSE,
        did=answer.did,
    )


def _pages(caller: Caller, path: str, query: dict[str, str], most: int) -> Iterator[tuple[Answer, list[str]]]:
    """The pages of a list, to its end or to `most`."""
    cursor: dict[str, str] = {}
    for _ in range(most):
        answer = caller.get(path, limit=50, **query, **cursor).expect(200, because=BECAUSE_CONTRACT)
        body = answer.json()
        items = body.get("items") if isinstance(body, dict) else None
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            fail(
                expected='A list: {"items": [...], ...}.',
                got=answer.summary(),
                because=BECAUSE_CONTRACT,
                did=answer.did,
            )
        yield answer, [str(item.get("id")) for item in items]
        if not isinstance(body.get("next_cursor"), str):
            return
        cursor = {"cursor": body["next_cursor"]}


def _told(answer: Answer) -> tuple[Any, Any, Any]:
    body = answer.json()
    if not isinstance(body, dict):
        return None, None, None
    return body.get("items"), body.get("next_cursor"), body.get("total")


def _key(sort: str) -> Any:
    column = sort.removeprefix("-")
    return (lambda row: int(row[0])) if column == "id" else (lambda row: (row[1], int(row[0])))


def _ids(world: World, sql: LiteralString, *parameters: object) -> list[str]:
    return [id for (id,) in world.rows(sql, parameters)]
