"""With IDENTITY=tokens the service finds out itself who calls, and what they may do stands in permissions.toml."""

import json
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from openapi_spec_validator import validate

from graders.probes.identity import IdentityProvider, drawn_provider, environment, new_key
from graders.probes.played import PlayedServer
from graders.probes.tokens import DEFECTS, Defect
from tests.reference_service.calling import Tenant, ok, pointers, problem
from tests.reference_service.running import (
    SERVICE,
    Database,
    Row,
    Web,
    copy_of,
    eventually,
    run,
    started,
    web_env,
)
from tests.reference_service.running import procfile as commands
from tests.reference_service.test_contract_tables import table

ROLES = ("viewer", "clerk", "accountant", "auditor", "admin")


@dataclass(frozen=True)
class Caller(Tenant):
    """A user of a tenant, who sends a token with each request."""

    provider: IdentityProvider
    subject: str

    def call(self, method: str, path: str, token: str | None = None, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token or self.provider.token(self.subject)}"}
        return self.web.call(method, path, headers=headers | options.pop("headers", {}), **options)

    def get(self, path: str, **query: object) -> requests.Response:
        return self.call("GET", path, params=query)

    def post(self, path: str, body: object | None = None) -> requests.Response:
        return self.call("POST", path, json=body)

    def patch(self, path: str, body: object) -> requests.Response:
        headers = {"Content-Type": "application/merge-patch+json"}
        return self.call("PATCH", path, data=json.dumps(body), headers=headers)


@dataclass(frozen=True)
class Guarded:
    """A service that verifies tokens, its database and the provider whose tokens it believes."""

    web: Web
    database: Database
    provider: IdentityProvider
    env: dict[str, str]

    def tenant(self) -> dict[str, Caller]:
        """A new tenant with a user of each role, by role."""
        tenant = self.database.add_tenant()
        return {role: self.user(tenant, role) for role in ROLES}

    def user(self, tenant: int, role: str, *, active: bool = True) -> Caller:
        query = "INSERT INTO users (tenant_id, subject, role, active) VALUES (%s, gen_random_uuid(), %s, %s) RETURNING subject"
        subject = self.database.rows(query, tenant, role, active)[0]["subject"]
        return Caller(self.web, self.database, tenant, self.provider, subject)


@pytest.fixture(scope="module")
def guarded(released: Database, base_env: dict[str, str]) -> Iterator[Guarded]:
    provider, database = drawn_provider(), copy_of(released)
    server = PlayedServer(provider.answer)
    env = web_env(database, {**base_env, **environment(provider, server.port)})
    with started(env) as web:
        yield Guarded(web, database, provider, env)
    server.close()


@pytest.fixture
def mine(guarded: Guarded) -> dict[str, Caller]:
    return guarded.tenant()


@pytest.fixture
def theirs(guarded: Guarded) -> dict[str, Caller]:
    return guarded.tenant()


def sent(by: dict[str, Caller], cents: int = 1000) -> Row:
    return by["clerk"].sent(by["clerk"].customer(), cents)


def refusal(web: Web, answer: requests.Response) -> Row:
    wanted = answer.headers["X-Request-ID"]
    (line,) = eventually(lambda: web.lines_with(wanted, "refused"), "a line about the refusal")
    return dict(line)


def test_each_key_of_the_provider_counts(mine: dict[str, Caller], guarded: Guarded) -> None:
    for key in guarded.provider.keys:
        token = guarded.provider.token(mine["viewer"].subject, key=key)
        ok(mine["viewer"].call("GET", "/v1/customers", token))
    listed = guarded.provider.token(
        mine["viewer"].subject, aud=["https://x.example", guarded.provider.audience]
    )
    ok(mine["viewer"].call("GET", "/v1/customers", listed))


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_forged_token_is_refused(mine: dict[str, Caller], guarded: Guarded, defect: Defect) -> None:
    token = defect.forge(guarded.provider, mine["viewer"].subject)
    answer = mine["viewer"].call("GET", "/v1/customers", token)
    problem(answer, 401, "unauthenticated")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    line = refusal(guarded.web, answer)
    assert (line["subject"], line["reason"], line["status"]) == (None, "bad-token", 401)
    if token.count(".") == 2:
        assert not any(part in str(guarded.web.lines) for part in token.split(".")[1:] if part)


@pytest.mark.parametrize(
    "path", ["/v1/customers", "/v1/nowhere", "/", "//livez", "/livez/", "/Livez", "/v1/invoices/7"]
)
def test_without_a_token_nothing_is_said(guarded: Guarded, path: str) -> None:
    answer = guarded.web.call("GET", path)
    problem(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="billing"'
    assert refusal(guarded.web, answer)["reason"] == "no-token"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/openapi.json"])
def test_three_paths_are_public(guarded: Guarded, path: str) -> None:
    assert guarded.web.call("GET", path).status_code == 200


def test_clocks_may_differ_by_a_minute(mine: dict[str, Caller], guarded: Guarded) -> None:
    now = guarded.provider.claims("x")["iat"]
    subject = mine["viewer"].subject
    for changed in ({"exp": now - 15}, {"nbf": now + 15}):
        ok(mine["viewer"].call("GET", "/v1/customers", guarded.provider.token(subject, **changed)))
    late = guarded.provider.token(subject, exp=now - 120)
    problem(mine["viewer"].call("GET", "/v1/customers", late), 401, "unauthenticated")


def test_the_scheme_has_no_case_and_comes_once(mine: dict[str, Caller], guarded: Guarded) -> None:
    token = guarded.provider.token(mine["viewer"].subject)
    for scheme, status in (("bearer", 200), ("BEARER", 200), ("Basic", 401), ("Token", 401)):
        headers = {"Authorization": f"{scheme} {token}"}
        assert guarded.web.call("GET", "/v1/customers", headers=headers).status_code == status
    assert guarded.web.call("GET", "/v1/customers", params={"access_token": token}).status_code == 401


def test_a_new_key_works_and_a_withdrawn_one_stops(mine: dict[str, Caller], guarded: Guarded) -> None:
    key = new_key("ES256")

    def status() -> int:
        token = guarded.provider.token(mine["viewer"].subject, key=key)
        return mine["viewer"].call("GET", "/v1/customers", token).status_code

    assert status() == 401
    guarded.provider.publish(key)
    eventually(lambda: status() == 200, "the new key works")
    guarded.provider.withdraw(key)
    eventually(lambda: status() == 401, "the withdrawn key stops")


def test_unknown_keys_do_not_storm_the_provider(mine: dict[str, Caller], guarded: Guarded) -> None:
    before = guarded.provider.fetches
    for _ in range(40):
        token = guarded.provider.token("x", key=new_key("ES256"))
        assert mine["viewer"].call("GET", "/v1/customers", token).status_code == 401
    assert guarded.provider.fetches - before < 10


def test_keys_outlive_their_provider(mine: dict[str, Caller], guarded: Guarded) -> None:
    viewer = mine["viewer"]
    ok(viewer.get("/v1/customers"))
    guarded.provider.go(down=True)
    try:
        before = guarded.provider.fetches

        def asked_in_vain() -> bool:
            ok(viewer.get("/v1/customers"))
            return guarded.provider.fetches > before

        eventually(asked_in_vain, "the provider is asked again")
        ok(viewer.get("/v1/customers"))
        with started(web_env(guarded.database, guarded.env)) as fresh:
            headers = {"Authorization": f"Bearer {guarded.provider.token(viewer.subject)}"}
            body = problem(fresh.call("GET", "/v1/customers", headers=headers), 503, "dependency-unavailable")
            assert body["dependency"] == "identity-provider"
            guarded.provider.go(down=False)
            eventually(
                lambda: fresh.call("GET", "/v1/customers", headers=headers).status_code == 200, "recovery"
            )
    finally:
        guarded.provider.go(down=False)


def test_a_user_who_is_revoked_is_out_at_once(mine: dict[str, Caller], guarded: Guarded) -> None:
    viewer, admin = mine["viewer"], mine["admin"]
    token = guarded.provider.token(viewer.subject)
    ok(viewer.call("GET", "/v1/customers", token))
    (row,) = [user for user in ok(admin.get("/v1/users"))["items"] if user["subject"] == viewer.subject]
    changed = ok(admin.patch(f"/v1/users/{row['id']}", {"active": False}))
    assert changed == {**row, "active": False}
    answer = viewer.call("GET", "/v1/customers", token)
    problem(answer, 401, "unauthenticated")
    line = refusal(guarded.web, answer)
    assert (line["subject"], line["reason"]) == (viewer.subject, "revoked-user")
    ok(admin.patch(f"/v1/users/{row['id']}", {"active": True, "role": "clerk"}))
    ok(viewer.call("POST", "/v1/customers", token, json={"name": "Bo", "email": "b@example.org"}), 201)


def test_a_subject_that_nobody_has_is_refused(guarded: Guarded) -> None:
    headers = {"Authorization": f"Bearer {guarded.provider.token('nobody')}"}
    answer = guarded.web.call("GET", "/v1/customers", headers=headers)
    problem(answer, 401, "unauthenticated")
    assert refusal(guarded.web, answer)["reason"] == "unknown-user"


def test_every_cell_of_the_matrix(mine: dict[str, Caller]) -> None:
    """Whatever the path names: what a role may do is refused for another reason than its role."""
    listed = tomllib.loads((SERVICE / "permissions.toml").read_text())["permissions"]
    for method, template, *_ in [*table("method"), *table("method with tokens")]:
        if not template.startswith("/v1"):
            continue
        path = template.replace("{number}", "7").replace("{customer_id}", "0").replace("{invoice_id}", "0")
        path = path.replace("{payment_id}", "0").replace("{user_id}", "0")
        for role, caller in mine.items():
            answer = caller.call(method, path, json={"unknown": 1})  # of the wrong type for PATCH, too
            assert (answer.status_code == 403) == (role not in listed[f"{method} {template}"]), (
                role,
                method,
                path,
            )
            if answer.status_code == 403:
                problem(answer, 403, "forbidden")
                line = refusal(caller.web, answer)
                assert (line["subject"], line["reason"], line["route"]) == (caller.subject, "role", template)
    assert set(listed) <= {f"{row[0]} {row[1]}" for row in [*table("method"), *table("method with tokens")]}


def test_headers_and_bodies_give_no_rights(mine: dict[str, Caller], theirs: dict[str, Caller]) -> None:
    customer = theirs["clerk"].customer()
    headers = {
        "X-Tenant-ID": str(theirs["clerk"].id),
        "X-Role": "admin",
        "X-User-ID": theirs["admin"].subject,
    }
    problem(mine["clerk"].call("GET", f"/v1/customers/{customer}", headers=headers), 404)
    problem(mine["viewer"].call("GET", "/v1/users", headers=headers), 403, "forbidden")
    body = {"name": "Bo", "email": "b@example.org", "tenant_id": str(theirs["clerk"].id)}
    assert pointers(problem(mine["clerk"].post("/v1/customers", body), 422, "invalid-request")) == [
        "/body/tenant_id"
    ]


def test_the_finance_list_filters_sorts_and_counts(
    mine: dict[str, Caller], theirs: dict[str, Caller]
) -> None:
    sent(theirs, 5)
    first, second, third = (sent(mine, cents) for cents in (30, 10, 30))
    accountant = mine["accountant"]
    page = ok(accountant.get("/v1/admin/invoices", sort="-total_cents", limit=2))
    assert [item["id"] for item in page["items"]] == [third["id"], first["id"]]
    assert page["total"] == 3
    rest = ok(accountant.get("/v1/admin/invoices", sort="-total_cents", cursor=page["next_cursor"]))
    assert ([item["id"] for item in rest["items"]], rest["next_cursor"]) == ([second["id"]], None)
    wrong = accountant.get("/v1/admin/invoices", sort="id", cursor=page["next_cursor"])
    assert pointers(problem(wrong, 422, "invalid-request")) == ["/query/cursor"]
    assert ok(accountant.get("/v1/admin/invoices", status="paid"))["total"] == 0
    for nobody in (sent(theirs)["customer_id"], "99999999", "me"):
        found = ok(accountant.get("/v1/admin/invoices", customer_id=nobody))
        assert (found["items"], found["total"]) == ([], 0)
    assert ok(accountant.get("/v1/admin/invoices", customer_id=first["customer_id"]))["total"] == 1


def test_many_become_void_or_none(mine: dict[str, Caller], theirs: dict[str, Caller]) -> None:
    one, two, foreign = sent(mine), sent(mine), sent(theirs)
    accountant = mine["accountant"]

    def status(invoice: Row) -> str:
        return str(ok(accountant.get(f"/v1/invoices/{invoice['id']}"))["status"])

    for other in (foreign["id"], "99999999", "me"):
        problem(accountant.post("/v1/admin/invoices/void", {"invoice_ids": [one["id"], other]}), 404)
    assert (status(one), ok(theirs["viewer"].get(f"/v1/invoices/{foreign['id']}"))["status"]) == (
        "sent",
        "sent",
    )
    ok(accountant.post(f"/v1/invoices/{two['id']}/payments", {"amount_cents": 1}), 201)
    both = {"invoice_ids": [one["id"], two["id"]]}
    problem(accountant.post("/v1/admin/invoices/void", both), 409, "wrong-status")
    assert status(one) == "sent"
    single = {"invoice_ids": [one["id"]]}
    assert ok(accountant.post("/v1/admin/invoices/void", single)) == {"voided": [one["id"]]}
    assert status(one) == "void"


def test_users_of_others_are_not_there(mine: dict[str, Caller], theirs: dict[str, Caller]) -> None:
    (foreign, *_) = ok(theirs["admin"].get("/v1/users"))["items"]
    for answer in (
        mine["admin"].get(f"/v1/users/{foreign['id']}"),
        mine["admin"].patch(f"/v1/users/{foreign['id']}", {"active": False}),
        mine["admin"].get("/v1/users/99999999"),
    ):
        assert problem(answer, 404)["detail"] == "There is no such user."
    assert ok(theirs["admin"].get(f"/v1/users/{foreign['id']}")) == foreign
    (own, *_) = ok(mine["admin"].get("/v1/users"))["items"]
    owner = {"tenant_id": "1", "subject": "x"}
    assert (
        len(pointers(problem(mine["admin"].patch(f"/v1/users/{own['id']}", owner), 422, "invalid-request")))
        == 2
    )


def test_the_document_says_how_to_send_a_token(guarded: Guarded) -> None:
    document = guarded.web.call("GET", "/openapi.json").json()
    validate(document)
    assert document == json.loads((SERVICE / "openapi.tokens.json").read_text())
    named = {(m.upper(), path) for path, operations in document["paths"].items() for m in operations}
    promised = {(row[0], row[1]) for row in [*table("method"), *table("method with tokens")]}
    assert named | {("GET", "/openapi.json")} == promised
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation.get("security") == [] or {"401", "403"} <= set(operation["responses"])
            assert "X-Tenant-ID" not in str(operation)


def test_behind_a_gateway_there_are_no_users(tenant: Tenant) -> None:
    problem(tenant.get("/v1/users"), 404)
    problem(tenant.get("/v1/admin/invoices"), 404)


@pytest.mark.parametrize(
    "text", ["", "[permissions]\n'GET /v1/x' = ['king']", "[permissions]\n'FETCH /v1/x' = []", "x"]
)
def test_permissions_that_say_nothing_clear_stop_the_start(
    guarded: Guarded, tmp_path: Any, text: str
) -> None:
    tree = shutil.copytree(SERVICE, tmp_path / "tree", ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "permissions.toml").write_text(text)
    ended = run(commands()["web"], web_env(guarded.database, guarded.env), tree)
    assert (ended.code, "permissions.toml" in ended.message()) == (78, True)
