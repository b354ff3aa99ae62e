"""The edge of the service: what is said beside the token, in front of the path, or by a friendly tool opens nothing."""

from graders.check import check, expect
from graders.lesson_06.callers import MERGE_PATCH, Caller, Request, ask, expect_refused, shown
from graders.lesson_06.disguises import disguises
from graders.lesson_06.odd_paths import FINANCE, USERS, VERBS, spellings
from graders.lesson_06.requests import LINES, request_for
from graders.lesson_06.rules import rule
from graders.lesson_06.world import MINE, THEIRS, World
from graders.probes.api import Answer, Bearer
from graders.probes.tokens import boasting

BECAUSE_SAID = (
    "Anybody can write a header. The gateway that once filled this one in is not in front of every caller."
)
BECAUSE_CLOSED = (
    "Guards are passed on paths that their authors did not think of. What nobody thought of must be closed."
)
MONEY = (
    "POST /v1/invoices/{invoice_id}/void",
    "POST /v1/invoices/{invoice_id}/payments",
    "POST /v1/admin/invoices/void",
)


@check("headers-give-nothing", needs=["tokens-accepted"])
def test_headers(world: World) -> None:
    """What a request says of its tenant, role or user, but for the token's sub, changes nothing."""
    viewer, foreign = world.caller("viewer"), world.customer(THEIRS)
    for headers in disguises(world, "accountant"):
        alone = ask(world.api, Request("GET", "/v1/customers").with_headers(headers))
        expect_refused(alone, 401, "these headers and no token", BECAUSE_SAID)
        raised = viewer.ask(Request("GET", FINANCE).with_headers(headers))
        expect_refused(raised, 403, "a viewer and the finance list, whatever the headers say", BECAUSE_SAID)
        _expect_own_list(viewer, headers)
        strange = viewer.ask(Request("GET", f"/v1/customers/{foreign}").with_headers(headers))
        _expect_status(strange, 404, "another tenant's customer, whatever the headers say")
    token = boasting(world.provider, viewer.subject)
    boast = Bearer(token, shown(viewer.subject, "boasting"))
    expect_refused(
        ask(world.api, Request("GET", USERS), boast),
        403,
        "a viewer whose token claims to be an admin's: the users table says what somebody is",
        "The provider says who, we say what. Else whoever manages the provider manages our books.",
    )
    _expect_status(
        ask(world.api, Request("GET", f"/v1/customers/{foreign}"), boast), 404, "another tenant's customer"
    )


@check("bodies-give-nothing", needs=["tokens-accepted"])
def test_bodies(world: World) -> None:
    """A tenant, role or owner in a body, where none is asked for, is refused and changes nothing."""
    clerk, admin = world.caller("clerk"), world.caller("admin")
    id, _ = world.new_user("viewer")
    person = {"name": "Mallory", "email": "mallory@example.org"}
    patch = tuple(MERGE_PATCH.items())
    before = world.state(MINE), world.state(THEIRS)
    customer, sent, bulk = world.customer(), world.sent(), "/v1/admin/invoices/void"
    accountant = world.caller("accountant")
    for caller, request in (
        (clerk, Request("POST", "/v1/customers", {**person, "tenant_id": str(THEIRS)})),
        (clerk, Request("POST", "/v1/customers", {**person, "tenant": THEIRS, "role": "admin"})),
        (
            clerk,
            Request("POST", f"/v1/customers/{customer}/invoices", {"lines": LINES, "tenant_id": str(THEIRS)}),
        ),
        (
            clerk,
            Request(
                "POST",
                f"/v1/customers/{customer}/invoices",
                {"lines": LINES, "customer_id": world.customer(THEIRS)},
            ),
        ),
        (clerk, Request("POST", f"/v1/customers/{customer}/invoices", {"lines": LINES, "status": "paid"})),
        (admin, Request("PATCH", f"/v1/users/{id}", {"tenant_id": str(THEIRS)}, patch)),
        (admin, Request("PATCH", f"/v1/users/{id}", {"role": "viewer", "subject": "octavia-admin"}, patch)),
        (admin, Request("PATCH", f"/v1/users/{id}", {"role": "owner"}, patch)),
        (accountant, Request("POST", bulk, {"invoice_ids": [sent], "tenant_id": str(THEIRS)})),
        (accountant, Request("POST", bulk, {"invoice_ids": [sent] * 101})),
        (accountant, Request("POST", bulk, {"invoice_ids": []})),
    ):
        answer = caller.ask(request)
        expect(
            answer.status == 422 and (world.state(MINE), world.state(THEIRS)) == before,
            expected="Status 422, and nothing changes: the body says more than is asked for, or something else.",
            got=answer.summary(),
            because="A body that is written to the table as it came gives its author every column.",
            did=answer.did,
        )


@check("money-guarded", needs=["tokens-accepted"])
def test_money(world: World) -> None:
    """Voiding and booking are guarded in the service: not even a caller with the admin tool's manners gets past."""
    for route in MONEY:
        wanted = rule(route)
        for role in ("viewer", "clerk", "auditor", "admin"):
            caller, request = world.caller(role), request_for(wanted, world)
            for headers in disguises(world, "accountant") if role == "clerk" else [{}]:
                _expect_nothing_done(world, caller, request.with_headers(headers), route)
        done = world.caller("accountant").ask(request_for(wanted, world))
        _expect_status(done, wanted.status, "an accountant, for whom this is")
    _expect_all_or_none(world)


@check("closed-by-default", needs=["tokens-accepted"])
def test_closed(world: World) -> None:
    """Other spellings of a path and unusual verbs do not slip past the guard, nor does a path that nobody listed."""
    viewer = world.caller("viewer")
    for role, path in (("accountant", FINANCE), ("admin", USERS)):
        world.caller(role).get(path).expect(200, because="It is open to those who may.")
        for spelling in spellings(path):
            for bearer in (None, viewer.bearer()):
                answer = world.api.send("GET", spelling, bearer=bearer)
                _expect_closed(answer, path)
        for verb in VERBS:
            for bearer in (None, viewer.bearer()):
                _expect_closed(ask(world.api, Request(verb, path), bearer), path)
        over = {"X-HTTP-Method-Override": "GET", "X-HTTP-Method": "GET", "X-Method-Override": "GET"}
        _expect_closed(viewer.ask(Request("POST", path, {}).with_headers(over)), path)
        _expect_status(viewer.ask(Request("HEAD", path)), 403, "HEAD, which says what GET says")
        _expect_status(world.caller(role).ask(Request("HEAD", path)), 200, "HEAD, for those who may GET")
    for path in (
        "/",
        "/v1",
        "/v1/nothing-here",
        "/v1/admin",
        "/v1/admin/everything",
        "/metrics",
        "/docs",
        "/debug",
        "/livez/x",
        "/readyz/x",
        "/openapi.json/x",
        "/livezz",
    ):
        expect_refused(ask(world.api, Request("GET", path)), 401, f"{path} without a token", BECAUSE_CLOSED)
        _expect_closed(viewer.get(path), path)
    for path in ("/livez", "/readyz", "/openapi.json"):
        _expect_status(ask(world.api, Request("GET", path)), 200, f"{path}, which is public")
        _expect_status(ask(world.api, Request("HEAD", path)), 200, f"HEAD of {path}, which is public")
    _expect_no_other_method(world)


def _expect_no_other_method(world: World) -> None:
    """A header that names another method gives no right to it."""
    idle, user = world.idle_customer(), world.spare_user()
    person = {"name": "Grace Hopper", "email": "grace@example.org"}
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        for role, method, path, body, over in (
            ("clerk", "PUT", f"/v1/customers/{idle}", person, "DELETE"),
            ("viewer", "GET", f"/v1/customers/{idle}", None, "DELETE"),
            ("auditor", "GET", f"/v1/users/{user}", None, "PATCH"),
        ):
            before = world.state(MINE)
            answer = world.caller(role).ask(Request(method, path, body, ((name, over),)))
            after = world.state(MINE)
            gone = f"customer {idle}" not in after
            expect(
                answer.status != 204 and not gone and (method != "GET" or after == before),
                expected=f"{over} does not happen: it is a {method}, and {role} may not {over}, whatever a header says.",
                got=answer.summary() + ("\nand the customer is gone" if gone else ""),
                because=BECAUSE_SAID,
                did=answer.did,
            )


def _expect_all_or_none(world: World) -> None:
    """Among many there is one that can't be voided any more: the first of all by its id, or the last."""
    world.put_back()
    ids = [world.sent(), world.sent()]
    for paid in world.paid_first_and_last():
        before = world.state(MINE)
        body = {"invoice_ids": [ids[0], paid, ids[1]]}
        answer = world.caller("accountant").ask(Request("POST", "/v1/admin/invoices/void", body))
        changed = world.state(MINE) != before
        expect(
            answer.status == 409 and not changed,
            expected=f"Status 409, and none of the three is voided: something was paid for {paid}.",
            got=answer.summary() + ("\nand records were changed" if changed else ""),
            because="Half of a list was done: nobody knows which half, and the second try fails at the first.",
            did=answer.did,
        )


def _expect_nothing_done(world: World, caller: Caller, request: Request, route: str) -> None:
    before = world.state(MINE)
    answer = caller.ask(request)
    changed = world.state(MINE) != before
    expect(
        answer.status == 403 and not changed,
        expected=f"Status 403, and nothing is booked: {caller.role} and {route}, whatever else the request says.",
        got=answer.summary() + ("\nand the records were changed" if changed else ""),
        because="The admin tool hides the button from those who may not press it. Nobody needs the tool to send the request.",
        did=answer.did,
    )


def _expect_own_list(caller: Caller, headers: dict[str, str]) -> None:
    plain = caller.get("/v1/customers")
    disguised = caller.ask(Request("GET", "/v1/customers").with_headers(headers))
    expect(
        (disguised.status, disguised.body) == (plain.status, plain.body) and plain.status == 200,
        expected="The same customers as without these headers.",
        got=disguised.summary(),
        because=BECAUSE_SAID,
        did=disguised.did,
    )


def _expect_closed(answer: Answer, path: str) -> None:
    expect(
        400 <= answer.status < 500,
        expected=f"A refusal: what this caller may not see at {path} is not to be had under another spelling or verb.",
        got=answer.summary(),
        because=BECAUSE_CLOSED,
        did=answer.did,
    )


def _expect_status(answer: Answer, status: int, what: str) -> None:
    expect(
        answer.status == status,
        expected=f"Status {status} for {what}.",
        got=answer.summary(),
        because=BECAUSE_SAID if status == 404 else BECAUSE_CLOSED,
        did=answer.did,
    )
