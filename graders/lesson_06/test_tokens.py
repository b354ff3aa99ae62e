"""Who calls is known from a token that is believed, or it is not known."""

from dataclasses import replace

from graders.check import check, expect
from graders.lesson_06.attacks import CLAIMS, MALFORMED, SIGNATURE, expect_disbelieved
from graders.lesson_06.callers import IN_THE_QUERY, Request, ask, expect_refused, shown
from graders.lesson_06.challenges import expect_challenge
from graders.lesson_06.requests import request_for
from graders.lesson_06.rules import RULES
from graders.lesson_06.world import World
from graders.probes.api import SHOWN_AS, Bearer
from graders.probes.tokens import tampered_signature

BECAUSE_OUT = "A user who is turned away with a right token can't work, and the next thing they ask for is less security."
BECAUSE_IN = "A door that opens without a key is open to everybody who finds it."
IN_A_COOKIE = f'curl -s -H "Cookie: access_token={shown("octavia-viewer")}" {SHOWN_AS}/v1/customers'
SKEW = 15  # seconds: within the 60 that are granted, with time for a slow machine


@check("tokens-accepted")
def test_right_tokens(world: World) -> None:
    """A right token is accepted, whichever of the provider's keys signed it."""
    for role in ("viewer", "clerk", "accountant", "auditor", "admin"):
        world.caller(role).get("/v1/customers").expect(200, because=BECAUSE_OUT)
    viewer = world.caller("viewer")
    for key in world.provider.keys:
        token = world.provider.token(viewer.subject, key=key)
        bearer = Bearer(token, viewer.bearer().shown)
        world.api.send("GET", "/v1/customers", bearer=bearer).expect(200, because=BECAUSE_OUT)


@check("no-token-refused", needs=["tokens-accepted"])
def test_no_token(world: World) -> None:
    """Without a bearer token every route answers 401, whatever else comes along."""
    for rule in RULES:
        answer = ask(world.api, request_for(rule, world))
        expect_refused(answer, 401, f"{rule.route} without a token", BECAUSE_IN)
    viewer = world.caller("viewer")
    elsewhere = {"access_token": viewer.bearer().token}
    for what, answer in (
        ("a token in the query", replace(world.api.get("/v1/customers", params=elsewhere), did=IN_THE_QUERY)),
        ("a token in a cookie", replace(ask(world.api, _cookie(viewer.bearer().token)), did=IN_A_COOKIE)),
        ("the scheme Basic", ask(world.api, _scheme("Basic dmVyYTp2ZXJh"))),
    ):
        expect_refused(answer, 401, f"{what} and no bearer token", BECAUSE_IN)


@check("challenge-sent", needs=["no-token-refused"])
def test_challenge(world: World) -> None:
    """A 401 says how to authenticate, and whether it was the token's fault."""
    viewer = world.caller("viewer")
    expect_challenge(ask(world.api, Request("GET", "/v1/customers")), token=False)
    expect_challenge(ask(world.api, Request("POST", "/v1/admin/invoices/void", {})), token=False)
    bearer = Bearer(
        tampered_signature(world.provider, viewer.subject), shown(viewer.subject, "tampered_signature")
    )
    expect_challenge(ask(world.api, Request("GET", "/v1/customers"), bearer), token=True)


@check("signature-verified", needs=["tokens-accepted"])
def test_signatures(world: World) -> None:
    """A token is believed only if a key of the provider's signed it, the one that it names."""
    expect_disbelieved(world, SIGNATURE)


@check("claims-verified", needs=["tokens-accepted"])
def test_claims(world: World) -> None:
    """A well signed token is still refused when it is over, not for us, or no access token."""
    expect_disbelieved(world, CLAIMS)


@check("malformed-refused", needs=["tokens-accepted"])
def test_malformed(world: World) -> None:
    """What is no token at all is refused like a bad one, and never breaks the service."""
    expect_disbelieved(world, MALFORMED)


@check("variants-accepted", needs=["tokens-accepted"])
def test_variants(world: World) -> None:
    """A right token is accepted in each promised form: clocks a minute apart, a list of audiences, `bearer` in any case."""
    viewer = world.caller("viewer")
    now = world.provider.claims("")["iat"]
    audiences = [world.provider.audience, "https://mail.example"]
    because = {
        "time": "No two clocks agree. Without a margin, logins fail at random, and nobody can reproduce it.",
        "list": "One token for several services has a list (RFC 7519, section 4.1.3).",
        "case": "The scheme's name has no case (RFC 9110, section 11.1), and some clients write it small.",
    }
    for what, kind, bearer in (
        (f"a token that ended {SKEW} seconds ago (60 are granted)", "time", viewer.bearer(exp=now - SKEW)),
        (f"a token that begins in {SKEW} seconds (60 are granted)", "time", viewer.bearer(nbf=now + SKEW)),
        ("a token whose aud is a list with ours in it", "list", viewer.bearer(aud=audiences)),
        ("the scheme `bearer`", "case", replace(viewer.bearer(), scheme="bearer")),
    ):
        answer = world.api.send("GET", "/v1/customers", bearer=bearer)
        expect(
            answer.status == 200,
            expected=f"Status 200 for {what}.",
            got=answer.summary(),
            because=because[kind],
            did=answer.did,
        )


def _cookie(token: str) -> Request:
    return Request("GET", "/v1/customers", headers=(("Cookie", f"access_token={token}"),))


def _scheme(value: str) -> Request:
    return Request("GET", "/v1/customers", headers=(("Authorization", value),))
