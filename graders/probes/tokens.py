"""Tokens that must not be believed, each named after the attack. `make_out` takes the provider and a user of the service.

joserfc signs, as the keys of `identity` have it; HS256 with a public key, which no library signs, is put together here.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from graders.probes.certificates import self_signed
from graders.probes.identity import IdentityProvider, SigningKey, encoded, new_key

# Seconds, past the skew that the contract grants (60). What is over only gets further away while a slow machine works.
OVER = 90
FAR = 240
HUGE = 12_000  # characters: past the 8192 that a token may have, and within what HTTP servers take
LONG = 7_500  # within them
SKEW = 15  # seconds: within the 60 that are granted, with time for a slow machine

Forge = Callable[[IdentityProvider, str], str]


@dataclass(frozen=True)
class Defect:
    """One attack (or, among VARIANTS, one right form). `what` ends the sentence: a token ..."""

    name: str
    what: str
    forge: Forge


def expired(provider: IdentityProvider, subject: str) -> str:
    now = int(time.time())
    return provider.token(subject, iat=now - FAR, exp=now - OVER)


def not_yet_valid(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject, nbf=int(time.time()) + FAR)


def other_issuer(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject, iss="https://id.example")


def longer_issuer(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject, iss=f"{provider.issuer}.stranger.example")


def issuer_at_the_end(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject, iss=f"https://stranger.example/{provider.issuer}")


def no_issuer(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject, iss=None)


def other_audience(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject, aud="https://mail.example")


def other_audiences(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject, aud=["https://mail.example", "https://files.example"])


def longer_audience(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject, aud=f"{provider.audience}.stranger.example")


def no_audience(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject, aud=None)


def no_expiry(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject, exp=None)


def no_issue_time(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject, iat=None)


def odd_expiry(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject, exp="never")


def no_subject(provider: IdentityProvider, subject: str) -> str:
    del subject
    return provider.token("", sub=None)


def subject_that_is_no_text(provider: IdentityProvider, subject: str) -> str:
    return provider.token("", sub=[subject])


def subject_that_is_no_unicode(provider: IdentityProvider, subject: str) -> str:
    """Half of a surrogate pair: JSON can write it, UTF-8 can't."""
    return provider.token(f"{subject}\ud800")


def subject_with_a_nul(provider: IdentityProvider, subject: str) -> str:
    return provider.token(f"{subject}\0")


def alg_none(provider: IdentityProvider, subject: str) -> str:
    return _unsigned(provider, subject, "none")


def alg_none_in_other_case(provider: IdentityProvider, subject: str) -> str:
    return _unsigned(provider, subject, "nOnE")


def no_signature(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject).rpartition(".")[0] + "."


def hs256_with_the_public_key(provider: IdentityProvider, subject: str) -> str:
    start = _start(provider, subject, "HS256")
    secret = provider.keys[0].pair.as_pem(private=False)
    return f"{start}.{encoded(hmac.new(secret, start.encode(), hashlib.sha256).digest())}"


def unknown_kid(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject, key=new_key("ES256"))


def tampered_kid(provider: IdentityProvider, subject: str) -> str:
    """Signed by one key of the provider's, and said to be signed by the other."""
    *others, last = provider.keys
    return _signed(provider, subject, others[0] if others else new_key("RS256"), kid=last.kid)


def odd_kid(provider: IdentityProvider, subject: str) -> str:
    return _signed(provider, subject, provider.keys[0], kid="../../dev/null' OR '1'='1")


def kid_that_is_no_text(provider: IdentityProvider, subject: str) -> str:
    return _resigned(provider, subject, {"kid": ["a"]})


def no_kid(provider: IdentityProvider, subject: str) -> str:
    return _resigned(provider, subject, {"kid": None}, by=new_key("RS256"))


def other_key(provider: IdentityProvider, subject: str) -> str:
    """The attacker's own key under a name of the provider's."""
    return _signed(provider, subject, new_key("RS256"), kid=provider.keys[0].kid)


def embedded_key(provider: IdentityProvider, subject: str) -> str:
    own = new_key("RS256")
    return _resigned(provider, subject, {"kid": provider.keys[0].kid, "jwk": own.public()}, by=own)


def embedded_unknown_key(provider: IdentityProvider, subject: str) -> str:
    own = new_key("RS256")
    return _resigned(provider, subject, {"kid": own.kid, "jwk": own.public()}, by=own)


def embedded_certificate(provider: IdentityProvider, subject: str) -> str:
    own = provider.stranger
    der = base64.b64encode(self_signed(own.pair)).decode()
    return _resigned(provider, subject, {"kid": own.kid, "x5c": [der]}, by=own)


def key_behind_a_link(provider: IdentityProvider, subject: str) -> str:
    """The link leads to a key set with the stranger's key in it."""
    own = provider.stranger
    return _resigned(provider, subject, {"kid": own.kid, "jku": provider.strangers_url}, by=own)


def certificate_behind_a_link(provider: IdentityProvider, subject: str) -> str:
    own = provider.stranger
    return _resigned(provider, subject, {"kid": own.kid, "x5u": provider.strangers_url}, by=own)


def longer_hash(provider: IdentityProvider, subject: str) -> str:
    return _of_the_family(provider, subject, "RS384")


def other_padding(provider: IdentityProvider, subject: str) -> str:
    return _of_the_family(provider, subject, "PS256")


def unknown_extension(provider: IdentityProvider, subject: str) -> str:
    extension = {"crit": ["https://example.com/once"], "https://example.com/once": True}
    return _resigned(provider, subject, {"kid": provider.keys[0].kid, **extension})


def tampered_payload(provider: IdentityProvider, subject: str) -> str:
    """Another user's good token, with this one's name written into it."""
    header, _, signature = provider.token("somebody-else").split(".")
    return f"{header}.{_json(provider.claims(subject))}.{signature}"


def tampered_signature(provider: IdentityProvider, subject: str) -> str:
    start, _, signature = provider.token(subject).rpartition(".")
    return f"{start}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def id_token(provider: IdentityProvider, subject: str) -> str:
    """What the provider gives a client to know who signed in: same key, same claims, not meant for us."""
    return _resigned(provider, subject, {"kid": provider.keys[0].kid, "typ": "JWT"})


def no_type(provider: IdentityProvider, subject: str) -> str:
    return _resigned(provider, subject, {"kid": provider.keys[0].kid, "typ": None})


def huge(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject, note="x" * (HUGE * 3 // 4))


def no_token_at_all(provider: IdentityProvider, subject: str) -> str:
    del provider, subject
    return "aladdin"


def two_parts(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject).rpartition(".")[0]


def no_json_inside(provider: IdentityProvider, subject: str) -> str:
    del subject
    key = provider.keys[0]
    return key.sign({"alg": key.alg, "typ": "at+jwt", "kid": key.kid}, b"\xff\xfe{")


def a_list_inside(provider: IdentityProvider, subject: str) -> str:
    key = provider.keys[0]
    return key.sign({"alg": key.alg, "typ": "at+jwt", "kid": key.kid}, json.dumps([subject]).encode())


def _signed(provider: IdentityProvider, subject: str, key: SigningKey, kid: str) -> str:
    return _resigned(provider, subject, {"kid": kid}, by=key)


def _resigned(
    provider: IdentityProvider, subject: str, header: Mapping[str, Any], by: SigningKey | None = None
) -> str:
    """Right claims under a header of the attacker's. What is None there is left out."""
    key = by or provider.keys[0]
    whole = {"alg": key.alg, "typ": "at+jwt", **header}
    payload = json.dumps(provider.claims(subject)).encode()
    return key.sign({name: value for name, value in whole.items() if value is not None}, payload)


def _of_the_family(provider: IdentityProvider, subject: str, alg: str) -> str:
    """By the provider's own RSA key, with an algorithm that the key is not for."""
    key = provider.keys[0]
    return _resigned(provider, subject, {"kid": key.kid}, by=replace(key, alg=alg))


def _unsigned(provider: IdentityProvider, subject: str, alg: str) -> str:
    return _start(provider, subject, alg) + "."


def _start(provider: IdentityProvider, subject: str, alg: str) -> str:
    """Header and payload, still to be signed."""
    header = {"alg": alg, "typ": "at+jwt", "kid": provider.keys[0].kid}
    return f"{_json(header)}.{_json(provider.claims(subject))}"


def _json(value: Mapping[str, Any]) -> str:
    return encoded(json.dumps(value).encode())


DEFECTS = tuple(
    Defect(forge.__name__, what, forge)
    for forge, what in (
        (no_token_at_all, "that is no token: a word"),
        (two_parts, "without its third part"),
        (no_json_inside, "whose payload is no JSON"),
        (a_list_inside, "whose payload is a list"),
        (subject_that_is_no_text, "whose sub is a list"),
        (subject_that_is_no_unicode, "whose sub is no text that UTF-8 could write"),
        (subject_with_a_nul, "whose sub has a NUL in it"),
        (expired, f"that expired {OVER} seconds ago (60 are granted)"),
        (no_expiry, "without exp"),
        (no_issue_time, "without iat"),
        (odd_expiry, 'whose exp is the text "never"'),
        (not_yet_valid, f"that begins to be valid in {FAR} seconds"),
        (other_issuer, "of another issuer"),
        (longer_issuer, "whose iss only begins like the provider's"),
        (issuer_at_the_end, "whose iss only ends like the provider's"),
        (no_issuer, "without iss"),
        (other_audience, "made out for another service"),
        (other_audiences, "made out for two other services (a list)"),
        (longer_audience, "whose aud only begins like ours"),
        (no_audience, "without aud"),
        (no_subject, "without sub"),
        (id_token, "of typ JWT: no access token"),
        (no_type, "without typ"),
        (alg_none, "with alg none and no signature"),
        (alg_none_in_other_case, "with alg nOnE and no signature"),
        (no_signature, "whose signature was cut off"),
        (tampered_signature, "whose signature was changed"),
        (tampered_payload, "with another user's name written over its own"),
        (hs256_with_the_public_key, "signed with HS256, the provider's public key as the secret"),
        (other_key, "signed with a stranger's key under a kid of the provider's"),
        (unknown_kid, "signed with a key that the provider does not have"),
        (tampered_kid, "whose kid names another key than the one that signed it"),
        (odd_kid, "whose kid is a path and a piece of SQL"),
        (kid_that_is_no_text, "whose kid is a list"),
        (no_kid, "that names no key, signed with a stranger's"),
        (embedded_key, "that brings its own key along (jwk)"),
        (embedded_unknown_key, "that brings its own key along (jwk), under a kid that nobody knows"),
        (embedded_certificate, "that brings its own certificate along (x5c)"),
        (key_behind_a_link, "that says where to find its key (jku)"),
        (certificate_behind_a_link, "that says where to find its certificate (x5u)"),
        (longer_hash, "signed with RS384 by the provider's key for RS256"),
        (other_padding, "signed with PS256 by the provider's key for RS256"),
        (unknown_extension, "with a critical extension (crit) that nobody knows"),
        (huge, f"of {HUGE} characters, well signed"),
    )
)


def just_over(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject, exp=int(time.time()) - SKEW)


def just_before(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject, nbf=int(time.time()) + SKEW)


def several_audiences(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject, aud=["https://mail.example", provider.audience])


def long_type(provider: IdentityProvider, subject: str) -> str:
    return _resigned(provider, subject, {"kid": provider.keys[0].kid, "typ": "application/at+jwt"})


def long(provider: IdentityProvider, subject: str) -> str:
    return provider.token(subject, note="x" * (LONG * 3 // 4 - 600))


def boasting(provider: IdentityProvider, subject: str) -> str:
    """A right token, with claims that would be worth something if anybody believed them."""
    claims: dict[str, Any] = {"role": "admin", "roles": ["admin"], "scope": "admin", "groups": ["admin"]}
    return provider.token(subject, key=None, **claims, tenant_id="2", tenant="2")


# Right tokens in forms that a strict reader may turn away.
VARIANTS = tuple(
    Defect(forge.__name__, what, forge)
    for forge, what in (
        (just_over, f"that ended {SKEW} seconds ago (60 are granted)"),
        (just_before, f"that begins in {SKEW} seconds (60 are granted)"),
        (several_audiences, "whose aud is a list with ours in it"),
        (long_type, "whose typ is application/at+jwt"),
        (long, "of some 7000 characters (8192 are granted)"),
    )
)
