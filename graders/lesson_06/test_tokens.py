"""Who calls is known from a token that is believed, or it is not known."""

from dataclasses import replace

from graders.check import check, expect
from graders.lesson_06.attacks import (
    CLAIMS,
    MALFORMED,
    SIGNATURE,
    expect_disbelieved,
    expect_nothing_followed,
)
from graders.lesson_06.callers import Request, ask, expect_refused, shown
from graders.lesson_06.challenges import expect_challenge
from graders.lesson_06.elsewhere import elsewhere
from graders.lesson_06.requests import request_for
from graders.lesson_06.rules import RULES
from graders.lesson_06.world import World
from graders.probes.api import Bearer
from graders.probes.tokens import VARIANTS, tampered_signature

BECAUSE_OUT = "A user who is turned away with a right token can't work, and the next thing they ask for is less security."
BECAUSE_IN = "A door that opens without a key is open to everybody who finds it."
BECAUSE_FORM = (
    "CONTRACT.md promises this form, and providers use it: clocks differ, tokens grow. Who is stricter turns users away, "
    "now and then, and nobody can reproduce it."
)


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
    for what, answer in elsewhere(world, viewer.bearer().token):
        expect_refused(answer, 401, f"{what} and no bearer token", BECAUSE_IN)


@check("challenge-sent", needs=["tokens-accepted"])
def test_challenge(world: World) -> None:
    """A 401 says how to authenticate, and whether it was the token's fault."""
    viewer = world.caller("viewer")
    expect_challenge(ask(world.api, Request("GET", "/v1/customers")), token=False)
    expect_challenge(ask(world.api, Request("POST", "/v1/admin/invoices/void", {})), token=False)
    bearer = Bearer(
        tampered_signature(world.provider, viewer.subject), shown(viewer.subject, "tampered_signature")
    )
    expect_challenge(ask(world.api, Request("GET", "/v1/customers"), bearer), token=True)
    expect_challenge(world.nobody().get("/v1/customers"), token=True)
    expect_challenge(world.revoked("clerk").get("/v1/customers"), token=True)


@check("signature-verified", needs=["tokens-accepted"])
def test_signatures(world: World) -> None:
    """A token is believed only if a key of the provider's signed it, the one that it names."""
    before = world.provider.followed
    expect_disbelieved(world, SIGNATURE)
    expect_nothing_followed(world, before)


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
    """A right token is accepted in each promised form: clocks apart, a list of audiences, both types, `bearer`."""
    viewer = world.caller("viewer")
    forms = [
        (
            f"a token {form.what}",
            Bearer(form.forge(world.provider, viewer.subject), shown(viewer.subject, form.name)),
        )
        for form in VARIANTS
    ]
    for what, bearer in (*forms, ("the scheme `bearer`", replace(viewer.bearer(), scheme="bearer"))):
        answer = world.api.send("GET", "/v1/customers", bearer=bearer)
        expect(
            answer.status == 200,
            expected=f"Status 200 for {what}.",
            got=answer.summary(),
            because=BECAUSE_FORM,
            did=answer.did,
        )
