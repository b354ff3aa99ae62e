"""What the lesson promises."""

import random

from graders.check import check, expect
from graders.probes.api import Api


@check("answers")
def test_answers(api: Api) -> None:
    """Every number gets an answer in JSON."""
    api.get("/double/2").expect(200, because="a client needs an answer")


@check("doubles", needs=["answers"])
def test_doubles(api: Api, rng: random.Random) -> None:
    """A number comes back doubled."""
    number = rng.randrange(3, 1000)
    got = api.get(f"/double/{number}").json().get("double")
    expect(got == number * 2, expected=f"{number * 2}", got=f"{got}", because="wrong sums cost money")


@check("doubles-large", needs=["doubles"])
def test_doubles_large(api: Api, rng: random.Random) -> None:
    """A number past 64 bits comes back doubled."""
    number = rng.randrange(2**70, 2**80)
    got = api.get(f"/double/{number}").json().get("double")
    expect(got == number * 2, expected=f"{number * 2}", got=f"{got}", because="large sums cost more money")
