"""The provider's keys come and go, and sometimes the provider does. The service follows, and nobody restarts it."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from graders.check import check, expect
from graders.lesson_06.callers import Request as Asked
from graders.lesson_06.callers import ask, expect_refused, shown
from graders.lesson_06.waiting import until
from graders.lesson_06.world import World
from graders.probes.api import SHOWN_AS, Answer, Api, Bearer
from graders.probes.identity import MAX_AGE, PROVIDER_PORT, SigningKey, new_key, unusable
from graders.probes.played import BROKEN, DOWN, Reply
from graders.probes.service import Service

FLOOD, FLOOD_SECONDS, PACE = 60, 4.0, 0.05
AT_ONCE, SLOW = 24, 0.5  # seconds that the provider takes: so all of them are there before it has answered
GRACE = 6  # seconds, for who asks in the background and was kept from it by a busy machine
BETWEEN_FETCHES = 5.0
PROCESSES = 5  # more of them will hardly stand behind one address
HANGING = 20  # seconds; the contract gives it five before it counts as down
NONSENSE = Reply(200, b"<html><h1>Back soon</h1></html>", "text/html")
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
def test_keys(world: World, client: Callable[[str], Api], service: Service) -> None:
    """A new key works without a restart, a withdrawn one stops, and unknown ones do not storm the provider."""
    key = new_key("ES256")
    try:
        _expect_followed(world, key)
        _expect_forgotten(world, key)
        _expect_one_fetch(world, [client(service.web("billing", 2)) for _ in range(AT_ONCE)])
    finally:
        world.provider.fall_into(None)
        world.provider.publish_beside([])
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
    world.provider.publish_beside(unusable())
    world.provider.publish(key)
    answer, works = until(asked, lambda answer: answer.status == 200)
    expect(
        works,
        expected="A token of the provider's new key is accepted within seconds, whatever else stands in the key set.",
        got=answer.summary(),
        because="Providers change their keys every few weeks, and at once after a theft. Until all services are "
        "restarted, nobody can log in.",
        did=f"{BY_HAND}/rotate; {answer.did}",
    )


def _expect_forgotten(world: World, key: SigningKey) -> None:
    """The key is withdrawn, and nobody asks for anything until it is too old."""
    viewer = world.caller("viewer")
    believed = Bearer(world.provider.token(viewer.subject, key=key), viewer.bearer().shown)
    because = "The key is published."
    world.api.send("GET", "/v1/customers", bearer=believed).expect(200, because=because)
    world.provider.withdraw(key)
    # Nothing tells from outside that keys have grown old. A slow machine only makes this longer, and them older.
    time.sleep(MAX_AGE + GRACE)
    answer = world.api.send("GET", "/v1/customers", bearer=believed)
    expect(
        answer.status == 401,
        expected=f"The key was withdrawn {MAX_AGE + GRACE} seconds ago, and keys may be believed for {MAX_AGE} "
        "(JWKS_MAX_AGE_SECONDS): 401, with the first request too.",
        got=answer.summary(),
        because="A key is withdrawn when it was stolen. Whoever has it goes on for as long as it is believed.",
        did=WITHDRAWN,
    )
    viewer.get("/v1/customers").expect(200, because="The other keys are as good as before.")


def _expect_one_fetch(world: World, clients: Sequence[Api]) -> None:
    """Unknown keys, all at once, at a process that has no keys yet, while the provider is slow."""
    shown_as = world.caller("viewer").bearer().shown
    tokens = [_unknown(world, new_key("ES256")) for _ in clients]
    world.provider.fall_into(lambda: _slowly(world))
    before, began = world.provider.fetches, time.monotonic()
    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(_asked_with, clients, tokens, [shown_as] * len(clients)))
    fetches, lasted = world.provider.fetches - before, time.monotonic() - began
    world.provider.fall_into(None)
    for answer in answers:
        expect(
            answer.status in (401, 503),
            expected="Status 401 for a token of a key that the provider does not have, or 503 while there are no keys.",
            got=answer.summary(),
            because="Anybody can make a key.",
            did=answer.did,
        )
    _expect_few(
        fetches,
        lasted,
        f"{len(clients)} requests at once",
        STORM.replace("/v1/customers; done", "/v1/customers & done; wait"),
    )


def _slowly(world: World) -> Reply:
    time.sleep(SLOW)
    return world.provider.key_set()


def _asked_with(api: Api, token: str, shown: str) -> Answer:
    return api.send("GET", "/v1/customers", bearer=Bearer(token, shown), seconds=30)


def _expect_no_storm(world: World) -> None:
    """One after the other, for long enough that once in five seconds and always can be told apart."""
    viewer = world.caller("viewer")
    before, began, sent = world.provider.fetches, time.monotonic(), 0
    while sent < FLOOD or time.monotonic() - began < FLOOD_SECONDS:
        bearer = Bearer(_unknown(world, new_key("ES256")), viewer.bearer().shown)
        answer = world.api.send("GET", "/v1/customers", bearer=bearer)
        expect_refused(
            answer, 401, "a token of a key that the provider does not have", "Anybody can make a key."
        )
        sent += 1
        # What is counted is fetches in a time: more requests would only keep the processors busy.
        time.sleep(PACE)
    lasted = time.monotonic() - began
    _expect_few(world.provider.fetches - before, lasted, f"{sent} requests, one after the other", STORM)


def _expect_few(fetches: int, lasted: float, what: str, did: str) -> None:
    """Once in five seconds, in each of a few processes. What the machine was slow in gives them more."""
    expect(
        fetches <= PROCESSES * (lasted / BETWEEN_FETCHES + 1),
        expected=f"{what}, with unknown keys: the service fetches the keys at most once in five seconds (in each process).",
        got=f"it fetched them {fetches} times in {lasted:.1f} seconds",
        because="With one worthless token a second, a stranger keeps the provider busy, and every service's logins with it.",
        did=did,
    )


def _unknown(world: World, key: SigningKey) -> str:
    return world.provider.token("nobody", key=key)


@check("outage-survived", needs=["tokens-accepted"])
def test_outage(world: World, service: Service, client: Callable[[str], Api]) -> None:
    """While the provider is down, known keys go on; a process without keys says 503, and recovers by itself."""
    viewer = world.caller("viewer")
    because = "The provider has a bad minute every month. It must not become ours."
    viewer.get("/v1/customers").expect(200, because=because)
    world.provider.fall_into(lambda: BROKEN)
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
            expected="Status 200 with the keys that were fetched before the provider broke down: it answers 500 now.",
            got=answer.summary(),
            because=because,
            did=f"{BY_HAND}/break; sleep {MAX_AGE + 1}; {answer.did}",
        )
        world.provider.go(down=True)
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
        did=f"{BY_HAND}/break; sleep {MAX_AGE + 1}; {answer.did}; {ASKED}",
    )


def _expect_recovery(world: World, api: Api) -> None:
    """A `web` process that starts while the provider is down, then hears nothing, then nonsense."""
    viewer, before = world.caller("viewer").at(api), world.provider.fetches
    forged = Bearer(_unknown(world, new_key("ES256")), shown(viewer.subject, "unknown_kid"))
    for trouble, by_hand in (
        (_silent, "does not answer"),
        (lambda: NONSENSE, "answers 200 with a page in HTML"),
    ):
        world.provider.fall_into(trouble)
        answer, _ = until(
            lambda: viewer.api.send("GET", "/v1/customers", bearer=viewer.bearer(), seconds=HANGING - 5),
            lambda answer, since=before: world.provider.fetches > since or answer.status == 200,  # type: ignore[misc]
        )
        before = world.provider.fetches
        _expect_none_or_shared(answer, by_hand)
    disbelieved = ask(viewer.api, Asked("GET", "/v1/customers"), forged)
    expect(
        disbelieved.status in (401, 503),
        expected="Status 401 or 503 for a token of a key that the provider does not have, while it is down, too.",
        got=disbelieved.summary(),
        because="Who can keep us from the provider could be anybody, if in doubt a token were believed.",
        did=disbelieved.did,
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


def _silent() -> Reply:
    time.sleep(HANGING)
    return DOWN


def _expect_none_or_shared(answer: Answer, what: str) -> None:
    """503, for want of keys; or 200, where processes share the keys that one of them has fetched."""
    body = answer.json() if answer.status == 503 else None
    expect(
        answer.status == 200 or (isinstance(body, dict) and body.get("dependency") == "identity-provider"),
        expected=f'Status 503 with "dependency": "identity-provider" from a process that has no keys yet: the provider {what}.',
        got=answer.summary(),
        because="401 would tell the client that its token is bad: it would log its user out, though nothing is wrong with it.",
        did=f"{BY_HAND}/down   # then let your service start anew, and: {answer.did}",
    )
    expect(
        answer.status == 200 or "Retry-After" in answer.headers,
        expected="A 503 says in Retry-After how long to wait.",
        got=f"Retry-After: {answer.headers.get('Retry-After', 'none')}",
        because="Clients that are not told try again at once, all together.",
        did=answer.did,
    )
