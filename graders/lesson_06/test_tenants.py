"""Two tenants share a database and know nothing of each other."""

from graders.check import check, expect
from graders.lesson_06 import lists
from graders.lesson_06.callers import MERGE_PATCH, Caller, Request
from graders.lesson_06.requests import LINES
from graders.lesson_06.twins import expect_alike, pairs
from graders.lesson_06.world import MINE, THEIRS, World

BECAUSE_READ = "Their customers' debts are in it. This is the leak that is in the newspaper."
BECAUSE_WRITE = "Another company's books were changed by somebody who may not even see them."


@check("reads-apart", needs=["tokens-accepted"])
def test_reads(world: World) -> None:
    """What belongs to another tenant is not found, whatever way one asks for it."""
    invoice, payment, number = world.payment(THEIRS)
    customer = world.customer(THEIRS)
    own_invoice, _, _ = world.payment(MINE)
    only_theirs = world.only_theirs_number()
    for role, path in (
        ("viewer", f"/v1/customers/{customer}"),
        ("viewer", f"/v1/customers/{customer}/balance"),
        ("viewer", f"/v1/customers/{customer}/invoices"),
        ("viewer", f"/v1/invoices/{invoice}"),
        ("clerk", f"/v1/invoices/{invoice}"),
        ("viewer", f"/v1/invoices/by-number/{only_theirs}"),
        ("accountant", f"/v1/invoices/{invoice}/payments/{payment}"),
        ("accountant", f"/v1/invoices/{own_invoice}/payments/{payment}"),
        ("auditor", f"/v1/users/{world.spare_user(THEIRS)}"),
        ("admin", f"/v1/users/{world.spare_user(THEIRS)}"),
    ):
        _expect_there_for_theirs(world.caller(role, THEIRS), path, own_invoice, invoice)
        answer = world.caller(role).get(path)
        expect(
            answer.status == 404,
            expected="Status 404: this is another tenant's, or part of what is.",
            got=answer.summary(),
            because=BECAUSE_READ,
            did=answer.did,
        )
    _expect_own_number(world, number)
    _expect_own_keys(world)


@check("writes-apart", needs=["tokens-accepted"])
def test_writes(world: World) -> None:
    """Nothing of another tenant's can be changed, alone, nested or among one's own."""
    mine, state = (world.sent(), world.sent()), world.state(THEIRS)
    foreign, own_state = world.sent(THEIRS), world.state(MINE)
    draft, idle = world.draft(THEIRS), world.idle_customer(THEIRS)
    person = {"name": "Mallory", "email": "mallory@example.org"}
    patch = tuple(MERGE_PATCH.items())
    for role, request in (
        ("clerk", Request("PUT", f"/v1/customers/{idle}", person)),
        ("clerk", Request("PATCH", f"/v1/customers/{idle}", {"name": "Mallory"}, patch)),
        ("admin", Request("DELETE", f"/v1/customers/{idle}")),
        ("clerk", Request("POST", f"/v1/customers/{idle}/invoices", {"lines": LINES})),
        ("clerk", Request("POST", f"/v1/invoices/{draft}/send", {"due_on": "2026-12-31"})),
        ("accountant", Request("POST", f"/v1/invoices/{foreign}/void")),
        ("accountant", Request("POST", f"/v1/invoices/{foreign}/payments", {"amount_cents": 100})),
        ("accountant", Request("POST", "/v1/admin/invoices/void", {"invoice_ids": [foreign]})),
        (
            "accountant",
            Request("POST", "/v1/admin/invoices/void", {"invoice_ids": [mine[0], foreign, mine[1]]}),
        ),
        ("admin", Request("PATCH", f"/v1/users/{world.spare_user(THEIRS)}", {"role": "viewer"}, patch)),
    ):
        answer = world.caller(role).ask(request)
        changed = (
            "theirs"
            if world.state(THEIRS) != state
            else "one's own"
            if world.state(MINE) != own_state
            else ""
        )
        expect(
            answer.status == 404 and not changed,
            expected="Status 404, and nothing changes: one of the records is another tenant's.",
            got=answer.summary() + (f"\nand records of {changed} were changed" if changed else ""),
            because=BECAUSE_WRITE,
            did=answer.did,
        )
    answer = world.caller("accountant").ask(
        Request("POST", "/v1/admin/invoices/void", {"invoice_ids": [*mine]})
    )
    answer.expect(200, because="One's own invoices can be voided, both at once.")


@check("lists-apart", needs=["tokens-accepted"])
def test_lists(world: World) -> None:
    """Lists, counts, filters, orders and cursors hold and tell one's own records only."""
    lists.expect_own_only(world)
    lists.expect_filters_tell_nothing(world)
    lists.expect_orders_are_few(world)
    lists.expect_cursors_keep_their_order(world)
    lists.expect_cursors_lead_nowhere(world)
    lists.expect_counts_still(world)


@check("nothing-told", needs=["reads-apart", "writes-apart"])
def test_nothing_told(world: World) -> None:
    """Not yours and not there are one answer: same status, same headers, same body."""
    for role, theirs, nobodys, ids in pairs(world):
        expect_alike(world.caller(role), theirs, nobodys, ids)
    _expect_free_number(world)


def _expect_there_for_theirs(caller: Caller, path: str, own: str, foreign: str) -> None:
    """It is there, for those whose it is: else a 404 would say nothing."""
    answer = caller.get(path.replace(f"/{own}/", f"/{foreign}/"))
    expect(
        answer.status == 200,
        expected="Status 200 for a user of the tenant that it belongs to.",
        got=answer.summary(),
        because="What nobody finds is well hidden, and lost.",
        did=answer.did,
    )


def _expect_own_keys(world: World) -> None:
    """A key belongs to its tenant: two may use the same one, and neither gets the other's answer."""
    key = (("Idempotency-Key", f"k-{world.draw.randrange(16**10):010x}"),)
    person = {"name": "Ada Lovelace", "email": "ada@example.org"}
    for body in (person, {**person, "name": "Grace Hopper"}):
        asked = Request("POST", "/v1/customers", body, key)
        tenant = THEIRS if body is person else MINE
        answer = world.caller("clerk", tenant).ask(asked)
        read = answer.json() if answer.status == 201 else {}
        expect(
            isinstance(read, dict) and f"customer {read.get('id')}" in world.state(tenant),
            expected="Status 201, and a new customer of the caller's own: only another tenant has used this Idempotency-Key.",
            got=answer.summary(),
            because=BECAUSE_READ,
            did=answer.did,
        )
    again = Request("POST", "/v1/customers", person, key)
    answer = world.caller("clerk").ask(again)
    expect(
        answer.status == 422,
        expected="Status 422: the tenant itself has used the key for another body.",
        got=answer.summary(),
        because=BECAUSE_READ,
        did=answer.did,
    )


def _expect_free_number(world: World) -> None:
    """A number that only another tenant has is free."""
    number, customer = world.only_theirs_number(), world.customer()
    body = {"lines": LINES, "number": number}
    answer = world.caller("clerk").ask(Request("POST", f"/v1/customers/{customer}/invoices", body))
    expect(
        answer.status == 201,
        expected=f"Status 201: no invoice of this tenant has the number {number}.",
        got=answer.summary(),
        because="By asking for numbers, one learns which ones a rival has written.",
        did=answer.did,
    )


def _expect_own_number(world: World, number: str) -> None:
    """Both tenants have an invoice of that number; each finds its own."""
    for tenant in (MINE, THEIRS):
        answer = world.caller("viewer", tenant).get(f"/v1/invoices/by-number/{number}")
        body = answer.json() if answer.status == 200 else {}
        expect(
            isinstance(body, dict) and body.get("id") == world.id_of_number(tenant, number),
            expected=f"The tenant's own invoice {number}: the other tenant has one of that number, too.",
            got=answer.summary(),
            because=BECAUSE_READ,
            did=answer.did,
        )
