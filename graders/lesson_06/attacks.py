"""The forged tokens in groups, and what every one of them must be answered."""

from collections.abc import Iterable

from graders.check import expect
from graders.lesson_06.callers import Caller, expect_refused, shown
from graders.lesson_06.world import World
from graders.probes.api import Bearer, curl
from graders.probes.tokens import DEFECTS, Defect

MALFORMED_NAMES = {
    "no_token_at_all",
    "two_parts",
    "no_json_inside",
    "a_list_inside",
    "odd_expiry",
    "kid_that_is_no_text",
    "subject_that_is_no_text",
    "subject_that_is_no_unicode",
    "subject_with_a_nul",
    "huge",
}
CLAIM_NAMES = {
    "expired",
    "no_expiry",
    "not_yet_valid",
    "no_issue_time",
    "other_issuer",
    "longer_issuer",
    "issuer_at_the_end",
    "no_issuer",
    "other_audience",
    "other_audiences",
    "longer_audience",
    "no_audience",
    "no_subject",
    "id_token",
    "no_type",
    "unknown_extension",
}
MALFORMED = tuple(defect for defect in DEFECTS if defect.name in MALFORMED_NAMES)
CLAIMS = tuple(defect for defect in DEFECTS if defect.name in CLAIM_NAMES)
SIGNATURE = tuple(defect for defect in DEFECTS if defect.name not in MALFORMED_NAMES | CLAIM_NAMES)
# A server may refuse a header of 12 kB before our code sees it.
ALSO_FOR_HUGE = (400, 431)
BECAUSE = {
    False: "Whoever can write such a token can be anybody, the accountant too.",
    True: "What comes in a header is written by strangers: it must not break what reads it.",
}


def expect_disbelieved(world: World, defects: Iterable[Defect]) -> None:
    """Each of these tokens gets a 401, where a right one of the same user is let in."""
    for caller, path in ((world.caller("viewer"), "/v1/customers"), (world.caller("admin"), "/v1/users")):
        for defect in defects:
            _let_in(caller, path)
            token = defect.forge(world.provider, caller.subject)
            bearer = Bearer(token, shown(caller.subject, defect.name))
            answer = caller.api.send("GET", path, bearer=bearer)
            if defect.name == "huge" and answer.status in ALSO_FOR_HUGE:
                continue
            expect_refused(answer, 401, f"a token {defect.what}", BECAUSE[defect in MALFORMED])
        _let_in(caller, path)


def expect_nothing_followed(world: World, before: int) -> None:
    """Nobody went where the forged tokens point to."""
    subject = world.caller("viewer").subject
    bearer = Bearer("", shown(subject, "key_behind_a_link"))
    expect(
        world.provider.followed == before,
        expected="No request goes out to where a token's jku or x5u points.",
        got=f"{world.provider.followed - before} of them did",
        because="Strangers choose the address: the service would fetch for them from inside the house.",
        did=curl("GET", "/v1/customers", {}, spoken=bearer.spoken()),
    )


def _let_in(caller: Caller, path: str) -> None:
    answer = caller.get(path)
    expect(
        answer.status == 200,
        expected="Status 200 for the same user's right token.",
        got=answer.summary(),
        because="A service that refuses everybody is safe and useless.",
        did=answer.did,
    )
