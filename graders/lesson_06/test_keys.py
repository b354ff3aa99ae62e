"""The provider's keys come and go, and sometimes the provider does. The service follows, and nobody restarts it."""

from collections.abc import Callable

from graders.check import check, expect
from graders.lesson_06.callers import Request as Asked
from graders.lesson_06.callers import ask, expect_refused
from graders.lesson_06.waiting import until
from graders.lesson_06.world import World
from graders.probes.api import SHOWN_AS, Answer, Api, Bearer
from graders.probes.identity import MAX_AGE, PROVIDER_PORT, SigningKey, new_key
from graders.probes.service import Service

FLOOD = 60
PROVIDER = f"http://127.0.0.1:{PROVIDER_PORT}"
BY_HAND = f"curl -s -X POST {PROVIDER}"
ASKED = f"curl -s {PROVIDER}/fetches"
WITHDRAWN = (
    f"T=$(curl -s {PROVIDER}/token/octavia-viewer); {BY_HAND}/rotate; {BY_HAND}/withdraw; sleep {MAX_AGE + 1}; "
    f'curl -s -H "Authorization: Bearer $T" {SHOWN_AS}/v1/customers'
)
STORM = (
    f'for i in $(seq {FLOOD}); do curl -s -o /dev/null -H "Authorization: Bearer '
    f'$(curl -s {PROVIDER}/token/octavia-viewer/unknown_kid)" {SHOWN_AS}/v1/customers; done; {ASKED}'
)


@check("keys-followed", needs=["signature-verified"])
def test_keys(world: World) -> None:
    """A new key works without a restart, a withdrawn one stops, and unknown ones do not storm the provider."""
    key = new_key("ES256")
    try:
        _expect_followed(world, key)
    finally:
        if key in world.provider.keys:  # other checks take any of the published keys
            world.provider.withdraw(key)
    _expect_no_storm(world)


def _expect_followed(world: World, key: SigningKey) -> None:
    """From the day before the key is published to the day after it is withdrawn."""
    viewer = world.caller("viewer")

    def asked(token: str = "") -> Answer:
        token = token or world.provider.token(viewer.subject, key=key)
        return world.api.send("GET", "/v1/customers", bearer=Bearer(token, viewer.bearer().shown))

    viewer.get("/v1/customers").expect(200, because="The keys are fetched when they are needed.")
    expect_refused(asked(), 401, "a token of a key that is not published yet", "Anybody can make a key.")
    world.provider.publish(key)
    answer, works = until(asked, lambda answer: answer.status == 200)
    expect(
        works,
        expected="A token of the provider's new key is accepted within seconds.",
        got=answer.summary(),
        because="Providers change their keys every few weeks, and at once after a theft. Until all services are "
        "restarted, nobody can log in.",
        did=f"{BY_HAND}/rotate; {answer.did}",
    )
    believed = world.provider.token(viewer.subject, key=key)
    asked(believed).expect(200, because="The key is published.")
    world.provider.withdraw(key)
    answer, stopped = until(lambda: asked(believed), lambda answer: answer.status == 401)
    expect(
        stopped,
        expected=f"The key was withdrawn, and keys may be believed for {MAX_AGE} seconds (JWKS_MAX_AGE_SECONDS): then 401.",
        got=f"still {answer.summary()}",
        because="A key is withdrawn when it was stolen. Whoever has it goes on for as long as it is believed.",
        did=WITHDRAWN,
    )
    viewer.get("/v1/customers").expect(200, because="The other keys are as good as before.")


def _expect_no_storm(world: World) -> None:
    viewer = world.caller("viewer")
    before = world.provider.fetches
    for _ in range(FLOOD):
        bearer = Bearer(_unknown(world, new_key("ES256")), viewer.bearer().shown)
        answer = world.api.send("GET", "/v1/customers", bearer=bearer)
        expect_refused(
            answer, 401, "a token of a key that the provider does not have", "Anybody can make a key."
        )
    fetches = world.provider.fetches - before
    # Once in five seconds for each process: so many would need minutes.
    expect(
        fetches < FLOOD // 2,
        expected=f"{FLOOD} tokens with unknown keys, sent one after the other, make the service fetch the keys a few times: "
        "at most once in five seconds.",
        got=f"it fetched them {fetches} times",
        because="With one worthless token a second, a stranger keeps the provider busy, and every service's logins with it.",
        did=STORM,
    )


def _unknown(world: World, key: SigningKey) -> str:
    return world.provider.token("nobody", key=key)


@check("outage-survived", needs=["tokens-accepted"])
def test_outage(world: World, service: Service, client: Callable[[str], Api]) -> None:
    """While the provider is down, known keys go on; a process without keys says 503, and recovers by itself."""
    viewer = world.caller("viewer")
    because = "The provider has a bad minute every month. It must not become ours."
    viewer.get("/v1/customers").expect(200, because=because)
    world.provider.go(down=True)
    try:
        before = world.provider.fetches

        def asked() -> Answer:
            return viewer.get("/v1/customers")

        answer, _ = until(asked, lambda _: world.provider.fetches > before)
        _expect_asked_again(world, before, answer)
        # Of several processes behind one address, some may not have had keys before.
        answer, goes_on = until(asked, lambda answer: answer.status == 200)
        expect(
            goes_on,
            expected="Status 200 with the keys that were fetched before the provider went down.",
            got=answer.summary(),
            because=because,
            did=f"{BY_HAND}/down; sleep {MAX_AGE + 1}; {answer.did}",
        )
        _expect_recovery(world, client(service.web("billing", 3)))
    finally:
        world.provider.go(down=False)
        # What comes after this check is about other things.
        until(lambda: viewer.get("/v1/customers"), lambda answer: answer.status == 200)


def _expect_asked_again(world: World, before: int, answer: Answer) -> None:
    expect(
        world.provider.fetches > before,
        expected=f"The keys are fetched again when they are older than {MAX_AGE} seconds (JWKS_MAX_AGE_SECONDS).",
        got="the provider was never asked again",
        because="Keys that are never looked at again are believed for ever, stolen ones too.",
        did=f"{BY_HAND}/down; sleep {MAX_AGE + 1}; {answer.did}; {ASKED}",
    )


def _expect_recovery(world: World, api: Api) -> None:
    """A `web` process that starts while the provider is down."""
    viewer = world.caller("viewer").at(api)
    answer = viewer.get("/v1/customers")
    body = answer.json() if answer.status == 503 else None
    expect(
        isinstance(body, dict) and body.get("dependency") == "identity-provider",
        expected='Status 503 with "dependency": "identity-provider" from a process that has no keys yet.',
        got=answer.summary(),
        because="401 would tell the client that its token is bad: it would log its user out, though nothing is wrong with it.",
        did=f"{BY_HAND}/down   # then let your service start anew, and: {answer.did}",
    )
    without = ask(viewer.api, Asked("GET", "/v1/customers"))
    expect_refused(without, 401, "no token at all", "No key is needed to see that there is no token.")
    world.provider.go(down=False)
    answer, recovered = until(lambda: viewer.get("/v1/customers"), lambda answer: answer.status == 200)
    expect(
        recovered,
        expected="The provider is back: within seconds the process serves.",
        got=answer.summary(),
        because="What recovers only by a restart wakes somebody up at night.",
        did=f"{BY_HAND}/up; {answer.did}",
    )
