"""WWW-Authenticate is read as its standards have it, not as one server writes it."""

import pytest

from graders.check import Failure
from graders.lesson_06.challenges import expect_challenge
from graders.probes.api import Answer


def answered(challenge: str | None, status: int = 401) -> Answer:
    return Answer("curl", status, {"WWW-Authenticate": challenge} if challenge else {}, b"")


@pytest.mark.parametrize(
    "challenge",
    [
        'Bearer error="invalid_token"',
        "bearer error=invalid_token",
        'Bearer realm="x", error="invalid_token", error_description="it is over"',
        'Basic realm="x", Bearer error="invalid_token"',
        'Bearer error_description="a, b", error="invalid_token"',
    ],
)
def test_a_challenge_in_any_form(challenge: str) -> None:
    expect_challenge(answered(challenge), token=True)


def test_without_a_token_no_error_need_be_said() -> None:
    expect_challenge(answered("Bearer"), token=False)
    expect_challenge(answered('Bearer realm="x"'), token=False)


@pytest.mark.parametrize(
    "challenge", [None, "Basic", "Bearer", 'Bearer error="invalid_request"', 'BearerX error="invalid_token"']
)
def test_what_is_no_challenge(challenge: str | None) -> None:
    with pytest.raises(Failure):
        expect_challenge(answered(challenge), token=True)


def test_only_a_401_challenges() -> None:
    with pytest.raises(Failure):
        expect_challenge(answered('Bearer error="invalid_token"', 403), token=True)
