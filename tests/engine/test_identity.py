"""Who says for whom a request is made, in a grade and by hand."""

import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from joserfc import jwt

from compose.stores import FixedAddresses, StoresFailed
from graders.engine.by_hand import addresses
from graders.engine.identity import by_hand, identity_of, refuse_compose
from graders.probes.identity import IdentityProvider, drawn_provider
from graders.probes.played import Asked
from graders.probes.tokens import DEFECTS
from labs.catalog import Lab
from tests.reference_service.running import free_port


def text(provider: IdentityProvider, path: str, method: str = "GET") -> str:
    return by_hand(provider)(Asked(method, path, b"")).body.decode()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_a_lab_runs_behind_a_gateway_unless_it_says_else(lab: Lab, stack: ExitStack) -> None:
    assert identity_of(lab, stack, None, None, print).environment == {"IDENTITY": "gateway"}
    refuse_compose(lab)


def test_a_grade_gives_no_token_away(lab: Lab, stack: ExitStack) -> None:
    identity = identity_of(replace(lab, identity="tokens"), stack, None, None, print)
    assert identity.provider
    with urllib.request.urlopen(identity.environment["JWKS_URL"], timeout=5) as answer:
        keys = answer.read()
    assert b'"kid"' in keys
    assert b'"d"' not in keys
    for path in ("/token/octavia-clerk", "/rotate", "/"):
        assert identity.provider.answer(Asked("GET", path, b"")).status == 404


def test_by_hand_it_has_the_promised_address_and_gives_tokens(lab: Lab, stack: ExitStack) -> None:
    fixed = replace(FixedAddresses(), identity=free_port())
    identity = identity_of(replace(lab, identity="tokens"), stack, None, fixed, print)
    assert identity.url.endswith(f":{fixed.identity}")
    with urllib.request.urlopen(f"{identity.url}/token/octavia-clerk", timeout=5) as answer:
        assert answer.read().count(b".") == 2


def test_a_person_gets_right_and_forged_tokens() -> None:
    provider = drawn_provider()
    first = text(provider, "/token/ada")
    assert jwt.decode(first, provider.keys[-1].pair, algorithms=["ES256"]).claims["sub"] == "ada"
    for defect in DEFECTS:
        assert text(provider, f"/token/ada/{defect.name}")
    assert "alg_none" in text(provider, "/token/ada/x")


def test_a_person_learns_how_often_the_keys_were_asked_for() -> None:
    provider = drawn_provider()
    assert "asked for 0 times" in text(provider, "/fetches")
    text(provider, "/.well-known/jwks.json")
    assert "asked for 1 times" in text(provider, "/fetches")


def test_a_person_turns_the_keys_over() -> None:
    provider = drawn_provider()
    text(provider, "/rotate", "POST")
    *_, left = provider.keys
    text(provider, "/withdraw", "POST")
    assert provider.keys == (left,)
    assert jwt.decode(text(provider, "/token/ada"), left.pair, algorithms=["RS256"]).header["kid"] == left.kid
    assert text(provider, "/token/ada/tampered_kid").count(".") == 2
    text(provider, "/down", "POST")
    assert provider.answer(Asked("GET", "/.well-known/jwks.json", b"")).status is None


def test_docker_compose_says_what_it_lacks(lab: Lab) -> None:
    with pytest.raises(StoresFailed, match="identity provider"):
        refuse_compose(replace(lab, identity="tokens"))


def test_run_shows_lines_that_can_be_pasted(lab: Lab) -> None:
    from compose.stores import Stores

    lines = dict(addresses(lab, "http://127.0.0.1:8080", Stores(), "http://127.0.0.1:8081")[::-1])
    assert "$(curl -s http://127.0.0.1:8081/token/octavia-clerk)" in str(lines)
    assert "X-Tenant-ID" in str(addresses(lab, "http://127.0.0.1:8080", Stores()))
