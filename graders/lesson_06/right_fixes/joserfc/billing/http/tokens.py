"""Access tokens (RFC 9068), read with joserfc: its registries say what a header and the claims must hold."""

import time
from dataclasses import dataclass

from joserfc import jws, jwt
from joserfc.errors import JoseError

from billing.http.keys import Keys

LONGEST = 8192
SKEW = 60


class BadToken(Exception):
    """Not to be believed."""


@dataclass(frozen=True)
class Tokens:
    issuer: str
    audience: str
    keys: Keys

    async def subject_of(self, token: str) -> str:
        if len(token) > LONGEST:
            raise BadToken("too long")
        try:
            header = jws.extract_compact(token.encode("ascii")).headers()
        except (JoseError, ValueError, TypeError, AttributeError):
            raise BadToken("unreadable") from None
        kid = header.get("kid")
        typ = header.get("typ")
        if not isinstance(kid, str) or not isinstance(typ, str) or "crit" in header:
            raise BadToken("header")
        if typ.lower().removeprefix("application/") != "at+jwt":
            raise BadToken("type")
        keys = await self.keys.covering(kid)
        key = next((each for each in keys.keys if each.kid == kid), None)
        if key is None or header.get("alg") != {"RSA": "RS256", "EC": "ES256"}[key.key_type]:
            raise BadToken("key")
        claims = jwt.JWTClaimsRegistry(
            now=lambda: int(time.time()),
            leeway=SKEW,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.audience},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            read = jwt.decode(token, key, algorithms=["RS256", "ES256"])
            claims.validate(read.claims)
            subject = read.claims["sub"]
        except (JoseError, ValueError, TypeError, AttributeError, KeyError):
            raise BadToken("signature or claims") from None
        if not isinstance(subject, str) or not subject.isprintable():
            raise BadToken("subject")
        return subject
