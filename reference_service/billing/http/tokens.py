"""A token is believed only when everything about it is right: its type, key, signature, issuer, audience and times.

Access tokens as RFC 9068 has them. What the token itself says about how to verify it is not believed: the algorithm is
one of ours and the key's own, and the key comes from our provider, whatever `jku`, `x5u` or `jwk` in the header say.
"""

from dataclasses import dataclass
from typing import Any

import jwt
from jwt.exceptions import PyJWTError

from billing.http.keys import Keys

ALGORITHMS = ("RS256", "ES256")
TYPES = ("at+jwt", "application/at+jwt")
REQUIRED = ["iss", "aud", "exp", "iat", "sub"]
MAX_LENGTH = 8192
# Clocks differ: what is over by less than this, or begins in less, counts.
SKEW_SECONDS = 60


class BadToken(Exception):
    """The token is not to be believed; the text says why, and holds nothing of the token."""


@dataclass(frozen=True)
class Tokens:
    """The tokens that one provider makes out for us."""

    issuer: str
    audience: str
    keys: Keys

    async def subject_of(self, token: str) -> str:
        """For whom the token was made out. Raises BadToken, or KeysUnavailable."""
        header = _header(token)
        key = await self.keys.find(header["kid"])
        if key is None:
            raise BadToken("the key is not one of the provider's")
        if key.algorithm_name != header["alg"]:
            raise BadToken("the key is for another algorithm")
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                issuer=self.issuer,
                audience=self.audience,
                leeway=SKEW_SECONDS,
                options={"require": REQUIRED},
            )
        except (PyJWTError, ValueError) as refusal:
            raise BadToken(type(refusal).__name__) from None
        subject: str = claims["sub"]
        if not subject or "\0" in subject or subject != subject.encode(errors="ignore").decode():
            raise BadToken("the subject can't exist")
        return subject


def _header(token: str) -> dict[str, Any]:
    """The header, if it is one that we could verify. Raises BadToken."""
    if len(token) > MAX_LENGTH:
        raise BadToken("the token is too long")
    try:
        header = jwt.get_unverified_header(token)
    except (PyJWTError, ValueError) as refusal:
        raise BadToken(type(refusal).__name__) from None
    if str(header.get("typ", "")).lower() not in TYPES:
        raise BadToken("this is no access token")
    if header.get("alg") not in ALGORITHMS:
        raise BadToken("the algorithm is none of ours")
    if "crit" in header:
        raise BadToken("the header asks for an extension that we don't know")
    if not isinstance(header.get("kid"), str):
        raise BadToken("the token names no key")
    return header
