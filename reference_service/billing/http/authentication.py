"""Nothing is served to a stranger: before a request is read any further, it is clear who sends it, or it ends here.

The token says who somebody is; the users table says, at this moment, for which tenant and in which role. Nothing else
in the request has a say in it.
"""

import logging
from typing import Literal

from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from billing.domain.users import User
from billing.http import problems
from billing.http.keys import KeysUnavailable
from billing.http.tokens import BadToken, Tokens
from billing.operations.logs import note
from billing.storage import users
from billing.storage.pool import Pool

log = logging.getLogger(__name__)

# Compared as they are: another spelling of one of these is another path, and not public.
PUBLIC = ("/livez", "/readyz", "/openapi.json")

Reason = Literal["no-token", "bad-token", "unknown-user", "revoked-user"]


class Unauthenticated(Exception):
    """Who sends this is not known, or not welcome any more. `subject` is known where a good token says it."""

    def __init__(self, reason: Reason, why: str, subject: str | None = None) -> None:
        super().__init__(why)
        self.reason = reason
        self.subject = subject


class Authentication:
    """ASGI middleware. Leaves the user in `request.state.user`."""

    def __init__(self, app: ASGIApp, tokens: Tokens, pool: Pool) -> None:
        self.app = app
        self.tokens = tokens
        self.pool = pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in PUBLIC:
            refused = await self._refused(scope)
            if refused is not None:
                await refused(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _refused(self, scope: Scope) -> Response | None:
        """None where the sender is known from here on; else what they are answered."""
        try:
            user = await self._user(Headers(scope=scope))
        except Unauthenticated as refusal:
            return _unauthenticated(scope, refusal)
        except KeysUnavailable:
            return problems.unavailable("identity-provider")
        except (OperationalError, PoolTimeout) as trouble:
            log.error("postgres does not serve", exc_info=trouble)
            return problems.unavailable("postgres")
        scope.setdefault("state", {})["user"] = user
        note(tenant_id=str(user.tenant_id), subject=user.subject)
        return None

    async def _user(self, headers: Headers) -> User:
        try:
            subject = await self.tokens.subject_of(_bearer_token(headers))
        except BadToken as fault:
            raise Unauthenticated("bad-token", str(fault)) from None
        async with self.pool.connection() as connection:
            user = await users.of_subject(connection, subject)
        if user is None:
            raise Unauthenticated("unknown-user", "no user has this subject", subject)
        if not user.active:
            raise Unauthenticated("revoked-user", "the user is not active", subject)
        return user


def _bearer_token(headers: Headers) -> str:
    """The one token of the request (RFC 6750, section 2.1; the scheme in any case). Raises Unauthenticated."""
    values = headers.getlist("Authorization")
    if not values:
        raise Unauthenticated("no-token", "there is no Authorization header")
    scheme, _, token = values[0].partition(" ")
    if len(values) > 1 or scheme.lower() != "bearer":
        raise Unauthenticated("no-token", "there is not one bearer token")
    return token.strip()


def _unauthenticated(scope: Scope, refusal: Unauthenticated) -> Response:
    """401, with what RFC 6750 (section 3) wants to be said; a line in the log that holds nothing of the token."""
    log_refusal(scope, 401, refusal.reason, refusal.subject, str(refusal))
    challenge = 'Bearer realm="billing"'
    if refusal.reason != "no-token":
        challenge += ', error="invalid_token"'
    detail = "Send a valid access token: Authorization: Bearer TOKEN."
    return problems.response(problems.UNAUTHENTICATED, detail, headers={"WWW-Authenticate": challenge})


def log_refusal(scope: Scope, status: int, reason: str, subject: str | None, why: str) -> None:
    """Who was refused, what, and why."""
    route = scope.get("route") or _route_of(Request(scope))
    if route is not None:
        scope["route"] = route
    fields = {
        "subject": subject,
        "method": scope.get("asked_as", scope["method"]),
        "route": getattr(route, "path_format", None),
        "status": status,
        "reason": reason,
        "why": why,
    }
    log.warning("refused", extra={"fields": fields})


def _route_of(request: Request) -> object:
    """The route that would have served this, for the log alone: nothing is decided by it."""
    fitting = [route for route in request.app.state.routes if route.path_regex.match(request.scope["path"])]
    return next((route for route in fitting if request.method in route.methods), next(iter(fitting), None))
