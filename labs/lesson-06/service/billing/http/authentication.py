"""Finds out who calls: from the header of the gateway or the admin tool, or from the token."""

import logging

from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from billing.domain.users import User
from billing.http import problems
from billing.http.tokens import BadToken, Tokens
from billing.operations.logs import note
from billing.storage import users
from billing.storage.pool import Pool

log = logging.getLogger(__name__)

PUBLIC = ("/livez", "/readyz", "/openapi.json")


class Unauthenticated(Exception):
    """Who sends this is not known."""


class Authentication:
    """ASGI middleware. Leaves the user in `request.state.user`."""

    def __init__(self, app: ASGIApp, tokens: Tokens, pool: Pool) -> None:
        self.app = app
        self.tokens = tokens
        self.pool = pool
        # Asking the table with every request was slow.
        self.known: dict[str, User] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(PUBLIC):
            refused = await self._refused(scope)
            if refused is not None:
                await refused(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _refused(self, scope: Scope) -> Response | None:
        """None where the sender is known from here on; else what they are answered."""
        try:
            user = await self._user(Headers(scope=scope))
        except (Unauthenticated, BadToken) as refusal:
            log.warning("login failed: %s", refusal)
            return problems.response(problems.UNAUTHENTICATED, "Log in first.")
        except (OperationalError, PoolTimeout) as trouble:
            log.error("postgres does not serve", exc_info=trouble)
            return problems.unavailable("postgres")
        scope.setdefault("state", {})["user"] = user
        note(tenant_id=str(user.tenant_id), subject=user.subject)
        return None

    async def _user(self, headers: Headers) -> User:
        # The gateway and the admin tool have logged the person in themselves.
        subject = headers.get("X-User")
        if subject is None:
            token = headers.get("Authorization", "").removeprefix("Bearer ")
            subject = await self.tokens.subject_of(token)
        if subject not in self.known:
            async with self.pool.connection() as connection:
                user = await users.of_subject(connection, subject)
            if user is None:
                raise Unauthenticated(f"no user {subject}")
            self.known[subject] = user
        return self.known[subject]
