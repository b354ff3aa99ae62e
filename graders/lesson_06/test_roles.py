"""What a caller may do stands in one list, and holds at every door."""

import re
from collections.abc import Callable
from dataclasses import replace

from graders.check import check, expect, fail
from graders.lesson_06.callers import MERGE_PATCH, Caller, Request, ask, expect_refused, shown
from graders.lesson_06.matrix import PATH, disagreements, leaks, listed, told
from graders.lesson_06.requests import request_for
from graders.lesson_06.rules import EVERYBODY, ROLES, RULES, rule
from graders.lesson_06.world import MINE, THEIRS, World
from graders.probes.api import Api, Bearer
from graders.probes.postgres import psql
from graders.probes.service import Service
from graders.probes.tokens import tampered_signature

VIEWER_BECOMES, NAMED = "UPDATE users SET ", " WHERE subject = 'octavia-viewer'"
BECAUSE_403 = (
    "With 401 the client fetches a new token, tries again, and so on for ever; with 404 it looks for a bug."
)
BECAUSE_AT_ONCE = (
    "Somebody was dismissed, or their laptop was stolen. Every minute counts, and a token lives for many."
)


@check("users-decide", needs=["tokens-accepted"])
def test_users(world: World, service: Service, client: Callable[[str], Api]) -> None:
    """The users table decides, at this moment and in every process: a new role counts at once, a revoked user is out."""
    id, user = world.new_user("viewer")
    second = client(service.web("billing", 2))
    closed_to_viewers = Request("GET", "/v1/users")
    doors = (user, user.at(second))

    def expect_all(status: int, what: str, now: str = "") -> None:
        """`now`: how a person brings the dataset's viewer to the same point."""
        for number, door in enumerate(doors, 1):
            answer = door.ask(closed_to_viewers)
            expect(
                answer.status == status,
                expected=f"{what}: status {status} from `web` process {number}, with the next request.",
                got=answer.summary(),
                because=BECAUSE_AT_ONCE,
                did=f"{psql(VIEWER_BECOMES + now + NAMED)}; {answer.did}" if now else answer.did,
            )

    expect_all(403, "A new user with the role viewer asks who works here")
    _write(world, id, "role", "admin")
    expect_all(200, "Their row now says admin", "role = 'admin'")
    _write(world, id, "role", "viewer")
    expect_all(403, "Their row now says viewer again", "role = 'viewer'")
    _write(world, id, "active", False)
    expect_all(401, "Their row is not active any more", "active = false")
    _write(world, id, "active", True)
    _write(world, id, "role", "admin")
    expect_all(200, "Their row is active again, and says admin", "active = true, role = 'admin'")
    change = Request("PATCH", f"/v1/users/{id}", {"active": False}, tuple(MERGE_PATCH.items()))
    _administer(world, id, change)
    expect_all(401, "An administrator revoked them through the first process", "active = false")
    change = replace(change, body={"active": True})
    _administer(world, id, change)
    expect_all(200, "An administrator let them in again", "active = true, role = 'admin'")
    change = replace(change, body={"role": "clerk"})
    _administer(world, id, change)
    expect_all(403, "An administrator made them a clerk", "role = 'clerk'")
    world.write("DELETE FROM public.users WHERE id = %s RETURNING id", [id])
    expect_all(401, "Their row is gone")
    for who, caller in (
        ("somebody who is not in the table users", world.nobody()),
        ("somebody whose name differs from a user's in case", _in_capitals(world.caller("viewer"))),
    ):
        expect_refused(
            caller.get("/v1/customers"),
            401,
            f"a right token of {who}",
            "The provider serves the whole company. Only those in the table work here.",
        )


@check("matrix-written")
def test_matrix_written(document: Callable[[str], str | None]) -> None:
    """permissions.toml says, for every route, which roles may use it, as the lesson's rules have it."""
    faults = disagreements(listed(document(PATH)))
    expect(
        not faults,
        expected=f"{PATH} lists each route with the roles that the lesson's rules name, and no others.",
        got="\n".join(faults[:12]) + (f"\n... and {len(faults) - 12} more" if len(faults) > 12 else ""),
        because="Whoever asks who can void an invoice reads this file. What it says must be so.",
        did=f"cat work/lesson-06/{PATH}",
    )


@check("matrix-kept", needs=["tokens-accepted"])
def test_matrix_kept(world: World) -> None:
    """Every cell of roles and routes is as the rules say: what is permitted works, all else is refused without effect."""
    wrong = leaks(world)
    if wrong:
        cell = wrong[0]
        others = [told(each) for each in wrong[1:9]]
        more = f"and {len(wrong) - 9} more cells" if len(wrong) > 9 else ""
        fail(
            expected=cell.expected,
            got="\n".join(
                [
                    cell.got,
                    *(["Also wrong:"] if others else []),
                    *(f"  {line}" for line in [*others, more] if line),
                ]
            ),
            because="One route that nobody thought of is enough: an attacker tries them all, as we did.",
            did=cell.did,
        )


@check("statuses-distinct", needs=["tokens-accepted"])
def test_statuses(world: World) -> None:
    """401 says who are you, 403 says you may not, 404 says there is none: never one in place of another."""
    clerk, accountant = world.caller("clerk"), world.caller("accountant")
    void, foreign, nobodys = (
        rule("POST /v1/invoices/{invoice_id}/void"),
        world.sent(THEIRS),
        world.nobodys_id(),
    )
    right = request_for(void, world)
    forged = Bearer(
        tampered_signature(world.provider, clerk.subject), shown(clerk.subject, "tampered_signature")
    )
    for what, answer in (
        (
            "a route that is closed to the caller's role, with a forged token",
            ask(world.api, right, forged),
        ),
        ("the same without a token", ask(world.api, right)),
        ("a path that does not exist, without a token", ask(world.api, Request("GET", "/v1/nothing-here"))),
        (
            "a thing that does not exist, without a token",
            ask(world.api, Request("GET", f"/v1/invoices/{nobodys}")),
        ),
        ("an Accept that cannot be served, without a token", ask(world.api, _wanting_pictures())),
        (
            "a parameter that nobody knows, without a token",
            ask(world.api, Request("GET", "/v1/customers?x=1")),
        ),
        (
            "a body of another type, without a token",
            world.api.send("POST", "/v1/customers", body=b"a=1", headers={"Content-Type": "text/plain"}),
        ),
    ):
        expect_refused(answer, 401, what, "Who is not known is told nothing, not even what exists.")
    for what, request in (
        ("voiding an invoice", right),
        ("voiding another tenant's invoice", Request("POST", f"/v1/invoices/{foreign}/void")),
        ("voiding an invoice that does not exist", Request("POST", f"/v1/invoices/{nobodys}/void")),
        (
            "a payment with a body that is wrong",
            Request("POST", f"/v1/invoices/{foreign}/payments", {"amount_cents": -1}),
        ),
        ("voiding many with a body that is wrong", Request("POST", "/v1/admin/invoices/void", {})),
    ):
        expect_refused(clerk.ask(request), 403, f"a clerk and {what}", BECAUSE_403)
    _expect_no_look_behind(world)
    answer = accountant.ask(Request("POST", f"/v1/invoices/{nobodys}/void"))
    expect(
        answer.status == 404,
        expected="Status 404 for an accountant and an invoice that does not exist.",
        got=answer.summary(),
        because="An accountant may void, so 403 would send them to their administrator for nothing.",
        did=answer.did,
    )


def _wanting_pictures() -> Request:
    return Request("GET", "/v1/customers", headers=(("Accept", "image/png"),))


def _in_capitals(caller: Caller) -> Caller:
    return replace(caller, subject=caller.subject.upper())


def _expect_no_look_behind(world: World) -> None:
    """Whose role does not suffice learns nothing of a record, not even that there is none."""
    for closed in RULES:
        if "{" in closed.template and closed.roles != EVERYBODY:
            role = next(role for role in ROLES if role not in closed.roles)
            path = re.sub(r"\{\w+\}", lambda _: world.nobodys_id(), closed.template)
            request = Request(closed.method, path, {} if closed.writes else None)
            if closed.method == "PATCH":
                request = request.with_headers(MERGE_PATCH)
            expect_refused(
                world.caller(role).ask(request),
                403,
                f"{role} and {closed.route}, of what does not exist",
                BECAUSE_403,
            )


def _administer(world: World, id: str, change: Request) -> None:
    """An administrator changes one user, and nobody else changes with them."""
    before = world.state(MINE)
    answer = world.caller("admin").ask(change)
    after = world.state(MINE)
    others = [record for record, was in before.items() if after.get(record) != was and record != f"user {id}"]
    expect(
        answer.status == 200 and not others,
        expected="Status 200 for an administrator, and no other user changes.",
        got=answer.summary() + (f"\nand these were changed: {', '.join(others[:4])}" if others else ""),
        because="Who asks for one user and gets all of them locks the company out.",
        did=answer.did,
    )


def _write(world: World, id: str, column: str, value: object) -> None:
    if column == "role":
        world.write("UPDATE public.users SET role = %s WHERE id = %s", [value, id])
    else:
        world.write("UPDATE public.users SET active = %s WHERE id = %s", [value, id])
