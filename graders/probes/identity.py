"""The identity provider that the grader plays: its keys, its key set (RFC 7517), the access tokens it makes out.

What an attacker makes of them stands in `tokens`.
"""

import base64
import itertools
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from compose.ports import HOST
from compose.stores import FixedAddresses
from graders.probes.played import DOWN, Asked, Reply

MAX_AGE = 6  # seconds; what the service may keep the keys for, told it in JWKS_MAX_AGE_SECONDS
LIFETIME = 600
STRANGERS = "/strangers-keys.json"
PATH = "/.well-known/jwks.json"
PROVIDER_PORT = FixedAddresses().identity  # while `octo_lab run` is up
# The algorithms themselves: a library that signs whole tokens would not sign what an attacker writes.
ALGORITHMS = JWSRegistry.algorithms


@dataclass(frozen=True)
class SigningKey:
    """A key pair, and the algorithm that it is for."""

    alg: str
    kid: str
    pair: RSAKey | ECKey

    def public(self) -> dict[str, Any]:
        """As it stands in the key set."""
        public = self.pair.as_dict(private=False)
        return {**public, "kid": self.kid, "alg": self.alg, "use": "sig"}

    def sign(self, header: Mapping[str, Any], payload: bytes) -> str:
        """The compact form (RFC 7515, section 7.1). The header is taken as it is, whatever it says."""
        start = f"{encoded(json.dumps(header).encode())}.{encoded(payload)}"
        return f"{start}.{encoded(ALGORITHMS[self.alg].sign(start.encode(), self.pair))}"


def new_key(alg: str) -> SigningKey:
    """A key for RS256 or ES256, with an id that says nothing."""
    pair = RSAKey.generate_key(2048) if alg == "RS256" else ECKey.generate_key("P-256")
    return SigningKey(alg, secrets.token_hex(8), pair)


class IdentityProvider:
    """Publishes keys over HTTP and makes out tokens. `fetches` counts how often its key set was asked for.

    Its server also holds a key set of a stranger's, to which forged tokens point; `followed` counts who went there.
    """

    def __init__(self, issuer: str, audience: str) -> None:
        self.issuer = issuer
        self.audience = audience
        self.fetches = self.followed = 0
        self.stranger = new_key("RS256")
        self.strangers_url = f"http://{HOST}:{PROVIDER_PORT}{STRANGERS}"
        self._trouble: Callable[[], Reply] | None = None
        self._unusable: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._keys = [new_key("RS256"), new_key("ES256")]
        self._turns = itertools.count()

    @property
    def keys(self) -> tuple[SigningKey, ...]:
        """The published keys."""
        return tuple(self._keys)

    def next_key(self) -> SigningKey:
        """The published keys by turns."""
        with self._lock:
            return self._keys[next(self._turns) % len(self._keys)]

    def publish(self, key: SigningKey) -> None:
        """Add a key to the key set."""
        with self._lock:
            self._keys.append(key)

    def withdraw(self, key: SigningKey) -> None:
        """Take a key out of the key set: nothing that it signed is to be believed any more."""
        with self._lock:
            self._keys.remove(key)

    def publish_beside(self, entries: Sequence[dict[str, Any]]) -> None:
        """What else stands in the key set, before the keys: nothing that a service could use."""
        self._unusable = list(entries)

    def seen_at(self, port: int) -> None:
        """At this port of its own loopback the service finds our server."""
        self.strangers_url = f"http://{HOST}:{port}{STRANGERS}"

    def go(self, *, down: bool) -> None:
        """Answer no more, or again."""
        self.fall_into((lambda: DOWN) if down else None)

    def fall_into(self, trouble: Callable[[], Reply] | None) -> None:
        """Answer with this instead of the keys, until it is None again. It may take its time."""
        self._trouble = trouble

    def claims(self, subject: str, **changed: Any) -> dict[str, Any]:
        """The claims of an access token (RFC 9068, section 2.2). One that is changed to None is left out."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": subject,
            "client_id": "billing-desk",
            "iat": now,
            "exp": now + LIFETIME,
            "jti": secrets.token_hex(8),
        }
        return {name: value for name, value in {**claims, **changed}.items() if value is not None}

    def token(self, subject: str, *, key: SigningKey | None = None, **changed: Any) -> str:
        """A token that is right, but for what is changed in its claims."""
        key = key or self._keys[0]
        header = {"alg": key.alg, "typ": "at+jwt", "kid": key.kid}
        return key.sign(header, json.dumps(self.claims(subject, **changed)).encode())

    def answer(self, asked: Asked) -> Reply:
        """What its server says: the key set, and nothing else."""
        if asked.path == STRANGERS:
            self.followed += 1
            return Reply(200, json.dumps({"keys": [self.stranger.public()]}).encode())
        if asked.path != PATH:
            return Reply(404, b"{}")
        with self._lock:
            self.fetches += 1
        return self._trouble() if self._trouble else self.key_set()

    def key_set(self) -> Reply:
        """The keys as they are published now (RFC 7517, section 5)."""
        with self._lock:
            keys = [*self._unusable, *(key.public() for key in self._keys)]
        return Reply(200, json.dumps({"keys": keys}).encode())


def unusable() -> list[dict[str, Any]]:
    """Entries that may stand in a key set, and that no service of ours could verify with."""
    spare = new_key("RS256").public()
    return [
        {**spare, "use": "enc", "alg": "RSA-OAEP", "kid": secrets.token_hex(8)},
        {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": secrets.token_hex(8),
         "x": encoded(secrets.token_bytes(32))},
        {"kty": "AKP", "alg": "ML-DSA-44", "use": "sig", "kid": secrets.token_hex(8), "pub": encoded(secrets.token_bytes(32))},
        {name: value for name, value in spare.items() if name != "kid"},
    ]  # fmt: skip


def encoded(data: bytes) -> str:
    """base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def drawn_provider() -> IdentityProvider:
    """A provider whose names nobody knows beforehand."""
    name = secrets.token_hex(4)
    return IdentityProvider(f"https://id-{name}.example", f"https://billing-{name}.example")


def environment(provider: IdentityProvider, port: int) -> dict[str, str]:
    """What a service is told of it that finds it at `port` of its loopback (CONTRACT.md, Configuration)."""
    return {
        "IDENTITY": "tokens",
        "TOKEN_ISSUER": provider.issuer,
        "TOKEN_AUDIENCE": provider.audience,
        "JWKS_URL": f"http://{HOST}:{port}{PATH}",
        "JWKS_MAX_AGE_SECONDS": str(MAX_AGE),
    }
