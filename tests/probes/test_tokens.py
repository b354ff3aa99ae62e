"""The forged tokens are what their names say: an independent reader believes the right one and none of them."""

import json
import urllib.request
from base64 import urlsafe_b64decode
from collections.abc import Iterator

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from graders.probes.identity import PATH, IdentityProvider, drawn_provider, environment, new_key
from graders.probes.played import PlayedServer
from graders.probes.tokens import DEFECTS, VARIANTS, Defect


@pytest.fixture(scope="module")
def provider() -> IdentityProvider:
    return drawn_provider()


@pytest.fixture
def server(provider: IdentityProvider) -> Iterator[PlayedServer]:
    server = PlayedServer(provider.answer)
    yield server
    server.close()


def fetched(server: PlayedServer) -> KeySet:
    with urllib.request.urlopen(server.url + PATH, timeout=5) as answer:
        return KeySet.import_key_set(json.load(answer))


def believed(provider: IdentityProvider, keys: KeySet, token: str) -> bool:
    """As a careful service reads it."""
    if len(token) > 8192:
        return False
    try:
        found = jwt.decode(token, keys, algorithms=["RS256", "ES256"])
        registry = jwt.JWTClaimsRegistry(
            leeway=60,
            iss={"essential": True, "value": provider.issuer},
            aud={"essential": True, "value": provider.audience},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        registry.validate(found.claims)
        known = found.claims["sub"] == "ada"
        return known and str(found.header.get("typ")).lower() in ("at+jwt", "application/at+jwt")
    except (JoseError, ValueError, TypeError, AttributeError):
        return False


def test_a_right_token_is_believed_whichever_key_signed_it(
    provider: IdentityProvider, server: PlayedServer
) -> None:
    keys = fetched(server)
    assert {key.alg for key in provider.keys} == {"RS256", "ES256"}
    for key in provider.keys:
        assert believed(provider, keys, provider.token("ada", key=key))


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_no_forged_token_is_believed(
    provider: IdentityProvider, server: PlayedServer, defect: Defect
) -> None:
    assert not believed(provider, fetched(server), defect.forge(provider, "ada"))


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_every_right_form_is_believed(
    provider: IdentityProvider, server: PlayedServer, variant: Defect
) -> None:
    assert believed(provider, fetched(server), variant.forge(provider, "ada"))


@pytest.mark.parametrize("name", ["expired", "other_audience", "id_token", "huge", "unknown_extension"])
def test_a_forged_token_has_one_fault_only(provider: IdentityProvider, name: str) -> None:
    """Its signature is right, so that it is refused for the fault that it is named after."""
    token = next(defect for defect in DEFECTS if defect.name == name).forge(provider, "ada")
    start, _, signature = token.rpartition(".")
    header = json.loads(urlsafe_b64decode(start.partition(".")[0] + "=="))
    (key,) = [key for key in provider.keys if key.kid == header["kid"]]
    assert jwt.JWSRegistry.algorithms[key.alg].verify(  # type: ignore[attr-defined]
        start.encode(), urlsafe_b64decode(signature + "=="), key.pair
    )


def test_a_key_comes_and_goes(provider: IdentityProvider, server: PlayedServer) -> None:
    key = new_key("ES256")
    token = provider.token("ada", key=key)
    assert not believed(provider, fetched(server), token)
    provider.publish(key)
    assert believed(provider, fetched(server), token)
    provider.withdraw(key)
    assert not believed(provider, fetched(server), token)


def test_a_provider_that_is_down_counts_who_asks(provider: IdentityProvider, server: PlayedServer) -> None:
    provider.go(down=True)
    before = provider.fetches
    with pytest.raises(OSError, match="closed connection"):
        fetched(server)
    provider.go(down=False)
    assert provider.fetches == before + 1


def test_a_service_is_told_where_the_keys_are(provider: IdentityProvider, server: PlayedServer) -> None:
    told = environment(provider, server.port)
    assert told["IDENTITY"] == "tokens"
    assert told["JWKS_URL"].startswith(server.url)
