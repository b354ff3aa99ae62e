"""WWW-Authenticate, read as RFC 9110 (section 11.6.1) and RFC 6750 (section 3) have it: leniently about its form."""

import re

from graders.check import expect
from graders.lesson_06.callers import BECAUSE_CONTRACT
from graders.probes.api import Answer

BEARER = re.compile(r"(?:^|,)\s*bearer(?=\s|,|$)", re.IGNORECASE)
ERROR = re.compile(r"\berror\s*=\s*\"?([a-z_]+)", re.IGNORECASE)


def expect_challenge(answer: Answer, *, token: bool) -> None:
    """A 401 says how to authenticate; where a token came, that it was the token's fault."""
    challenge = answer.headers.get("WWW-Authenticate", "")
    expect(
        answer.status == 401,
        expected="Status 401.",
        got=answer.summary(),
        because=BECAUSE_CONTRACT,
        did=answer.did,
    )
    expect(
        BEARER.search(challenge) is not None,
        expected="A 401 has WWW-Authenticate with the challenge Bearer.",
        got=f"WWW-Authenticate: {challenge}" if challenge else "no WWW-Authenticate",
        because=BECAUSE_CONTRACT,
        did=answer.did,
    )
    error = ERROR.search(challenge)
    expect(
        not token or (error is not None and error[1] == "invalid_token"),
        expected='A token came and is not believed: the challenge says error="invalid_token".',
        got=f"WWW-Authenticate: {challenge}",
        because="A client that reads invalid_token fetches a new token and goes on; else it asks its user to log in.",
        did=answer.did,
    )
