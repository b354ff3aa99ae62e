"""One ASGI guard in front of everything: it knows the paths itself, and the application behind it is asked nothing."""

import json
import logging
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import uuid4

from fastapi import Depends, FastAPI

from billing.http import admin, users
from billing.http.api import Guard
from billing.http.keys import Keys, KeysUnavailable
from billing.http.tokens import BadToken, Tokens
from billing.operations.logs import note
from billing.storage import users as user_rows
from billing.storage.pool import Pool

log = logging.getLogger(__name__)
OPEN = {"/livez", "/readyz", "/openapi.json"}


class Rule(NamedTuple):
    """A line of permissions.toml."""

    method: str
    template: str
    pattern: re.Pattern[str]
    roles: frozenset[str]


class Refused(Exception):
    def __init__(self, status: int, reason: str, subject: str | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.subject = status, reason, subject


def rules() -> list[Rule]:
    listed = tomllib.loads((Path(__file__).parents[2] / "permissions.toml").read_text())["permissions"]
    found = []
    for route, roles in listed.items():
        method, template = route.split(" ")
        # Only a number may hold a slash.
        pattern = re.sub(r"\{number\}", r".+", template)
        pattern = re.sub(r"\{\w+\}", r"[^/]+", pattern)
        found.append(Rule(method, template, re.compile(pattern), frozenset(roles)))
    # What is written out comes before what stands in braces.
    return sorted(found, key=lambda rule: rule.template.count("{"))


class Edge:
    def __init__(self, app: Any, tokens: Tokens, pool: Pool) -> None:
        self.app, self.tokens, self.pool, self.rules = app, tokens, pool, rules()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN:
            return await self.app(scope, receive, send)
        rule = self.rule_for(scope)
        if rule:
            scope["route"] = SimpleNamespace(path_format=rule.template)
        try:
            user = await self.caller(scope)
            if rule is None or user.role not in rule.roles:
                raise Refused(403, "role", user.subject)
        except Refused as refusal:
            return await self.refuse(scope, send, refusal)
        except KeysUnavailable:
            body = {"type": "urn:problem-type:billing:dependency-unavailable", "title": "Unavailable", "dependency": "identity-provider"}
            return await respond(send, 503, body, [(b"retry-after", b"5")])
        scope.setdefault("state", {})["user"] = user
        note(tenant_id=str(user.tenant_id))
        await self.app(scope, receive, send)

    def rule_for(self, scope: Any) -> Rule | None:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        return next((r for r in self.rules if r.pattern.fullmatch(scope["path"]) and r.method == method), None)

    async def caller(self, scope: Any) -> Any:
        sent = [value for name, value in scope["headers"] if name == b"authorization"]
        match = re.fullmatch(rb"(?i:bearer) +([!-~]+)", sent[0]) if len(sent) == 1 else None
        if not match:
            raise Refused(401, "no-token")
        try:
            subject = await self.tokens.subject_of(match[1].decode())
        except BadToken:
            raise Refused(401, "bad-token") from None
        async with self.pool.connection() as connection:
            user = await user_rows.of_subject(connection, subject)
        if not user or not user.active:
            raise Refused(401, "revoked-user" if user else "unknown-user", subject)
        return user

    async def refuse(self, scope: Any, send: Any, refusal: Refused) -> None:
        route = getattr(scope.get("route"), "path_format", None)
        fields = {"subject": refusal.subject, "method": scope["method"], "route": route}
        log.warning("refused", extra={"fields": {**fields, "status": refusal.status, "reason": refusal.reason}})
        known = refusal.reason != "no-token"
        challenge = b'Bearer error="invalid_token", error_description="get another one"' if known else b"Bearer"
        name = "forbidden" if refusal.status == 403 else "unauthenticated"
        body = {"type": f"urn:problem-type:billing:{name}", "title": name.capitalize()}
        await respond(send, refusal.status, body, [(b"www-authenticate", challenge)] if refusal.status == 401 else [])


async def respond(send: Any, status: int, body: dict[str, Any], headers: list[tuple[bytes, bytes]]) -> None:
    content = json.dumps({**body, "status": status, "detail": f"See {uuid4().hex[:6]} in the handbook."}).encode()
    usual = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*usual, *headers]})
    await send({"type": "http.response.body", "body": content})


async def nothing() -> None:
    """The guard has asked already."""


def guard(issuer: str, audience: str, jwks_url: str, jwks_max_age: int) -> Callable[[Pool], Guard]:
    def guarding(pool: Pool) -> Guard:
        tokens = Tokens(issuer, audience, Keys(jwks_url, jwks_max_age))

        def install(app: FastAPI) -> None:
            app.add_middleware(Edge, tokens=tokens, pool=pool)

        return Guard((admin.router, users.router), Depends(nothing), install, lambda document: document)

    return guarding
