"""What the check of jitter tells apart: shares that are drawn, and a share that is the same each time on a slow machine."""

import random
from collections.abc import Callable

import pytest

from graders.lesson_07.failing import CHARGES, MAILS
from graders.lesson_07.jitter import Wait, come_apart, groups, longest, some_early, told
from graders.lesson_07.policies import Policy

SMALLEST = Policy(attempts=5, growth=2, jitter=0.25, most=8)
REFERENCE = Policy(attempts=6, growth=2, jitter=0.4, most=60)
LARGEST = Policy(attempts=8, growth=3, jitter=0.5, most=60)
Share = Callable[[random.Random], float]


def waits(policy: Policy, share: Share, late: Share, seed: int) -> list[Wait]:
    """All waits of a grade; a share of jitter is taken off each, and each is late by some seconds."""
    draw = random.Random(seed)
    return [
        Wait(kind, tries, nominal, policy.jitter, nominal * (1 - policy.jitter * share(draw)) + late(draw))
        for kind, jobs in (("charge", CHARGES), ("mail", MAILS))
        for _ in range(jobs)
        for tries in range(1, policy.attempts)
        for nominal in [policy.nominal(tries) * 0.2]
    ]


def relayed(draw: random.Random) -> float:
    """The outbox is polled ten times a second; one in twenty is late for other reasons."""
    return draw.uniform(0, 0.1) + (draw.uniform(0, 3) if draw.random() < 0.05 else 0)


@pytest.mark.parametrize("policy", [SMALLEST, REFERENCE, LARGEST])
@pytest.mark.parametrize("late", [relayed, lambda draw: 0.0])
def test_drawn_shares_are_always_told(policy: Policy, late: Share) -> None:
    for seed in range(500):
        found = groups(waits(policy, random.Random.random, late, seed))
        assert some_early(found)
        assert come_apart(found)


@pytest.mark.parametrize("policy", [REFERENCE, LARGEST])
def test_the_same_share_is_never_taken_for_drawn(policy: Policy) -> None:
    for seed in range(500):
        assert not come_apart(groups(waits(policy, lambda draw: 0.5, relayed, seed)))


def test_a_share_that_follows_the_try_brings_all_back_together() -> None:
    same = [Wait("charge", tries, 2.0, 0.5, 1.0 + tries / 10) for tries in range(5) for _ in range(12)]
    assert some_early(groups(same))
    assert not come_apart(groups(same))


def test_what_nobody_can_see_is_left_out() -> None:
    assert groups([Wait("mail", 1, 0.2, 0.5, 0.1)]) == []
    assert not come_apart([])


def test_what_is_told_is_the_longest_of_each_kind() -> None:
    found = groups(waits(REFERENCE, random.Random.random, relayed, 1))
    assert [(group[0].kind, group[0].tries) for group in longest(found)] == [("charge", 5), ("mail", 5)]


def test_a_group_is_told_on_one_line() -> None:
    group = [Wait("charge", 3, 0.8, 0.4, 0.6 + late) for late in (0, 0.01, 0, 0.012, 0.5)]
    assert told(group) == "[charge] after try 3: 0.60, 0.61, 0.60, 0.61 s"
