"""Access tokens read with Authlib."""

import json
import re
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import Any

from authlib.jose import JsonWebKey, JsonWebToken
from authlib.jose.errors import JoseError

from billing.http.keys import Keys

ALLOWED = {"RS256", "ES256"}
JWT = JsonWebToken(sorted(ALLOWED))


class BadToken(Exception):
    pass


@dataclass(frozen=True)
class Tokens:
    issuer: str
    audience: str
    keys: Keys

    async def subject_of(self, token: str) -> str:
        header = self.header(token)
        entry = await self.keys.entry(header["kid"])
        if entry is None or entry.get("alg", header["alg"]) != header["alg"]:
            raise BadToken("no such key")
        options = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self.audience},
            "sub": {"essential": True},
            "exp": {"essential": True},
            "iat": {"essential": True},
        }
        try:
            claims = JWT.decode(token, JsonWebKey.import_key(entry), claims_options=options)
            # Authlib refuses an iat that lies ahead as well; the margin is the same.
            claims.validate(leeway=60)
            subject = claims["sub"]
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadToken(type(error).__name__) from None
        if not isinstance(subject, str) or not subject or re.search("[\0\ud800-\udfff]", subject):
            raise BadToken("sub")
        return subject

    def header(self, token: str) -> dict[str, Any]:
        try:
            if len(token) > 8192 or token.count(".") != 2:
                raise ValueError
            first = token.split(".")[0]
            header = json.loads(urlsafe_b64decode(first + "=" * (-len(first) % 4)))
            usual = isinstance(header["kid"], str) and header["alg"] in ALLOWED and "crit" not in header
            typed = header["typ"].lower() in ("at+jwt", "application/at+jwt")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise BadToken("unreadable") from None
        if not usual or not typed:
            raise BadToken("header")
        return header
