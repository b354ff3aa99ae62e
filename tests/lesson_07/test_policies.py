"""queues.toml is read as a stranger reads it, and every fault is named."""

from pathlib import Path

import pytest

from graders.check import Failure
from graders.lesson_07.policies import read_policies

REFERENCE = Path(__file__).parents[2] / "reference_service" / "queues.toml"


def test_the_reference_s_file_is_right() -> None:
    policies = read_policies(REFERENCE.read_text())
    assert [policies["charge"].nominal(tries) for tries in (1, 2, 3, 7)] == [1, 2, 4, 60]
    assert policies["mail"].least(2) == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("[report]", "[reports]", "queues.toml has no table [report]."),
        ("attempts = 5", "attempts = 3", "[mail] attempts is 3"),
        ("attempts = 5", "attempts = 5.0", "[mail] attempts is 5.0"),
        ("attempts = 5", "attempts = true", "[mail] attempts is True"),
        ("growth = 2.0", "growth = 1.5", "[mail] growth is 1.5"),
        ("jitter = 0.4", "jitter = 0", "[mail] jitter is 0"),
        ("most = 60", "most = inf", "[mail] most is inf"),
        ('"408", ', "", "[mail] retried does not name '408'."),
        ('"5xx"]', '"5xx", "4xx"]', "[mail] retried names '4xx'."),
        ('ends = "dead"', "", "[mail] ends is None"),
        ("[mail]", "[mail", "queues.toml is no TOML"),
    ],
)
def test_what_is_wrong_is_named(before: str, after: str, named: str) -> None:
    with pytest.raises(Failure) as caught:
        read_policies(REFERENCE.read_text().replace(before, after, 1))
    assert named in caught.value.got


def test_a_table_that_is_missing_is_named_first() -> None:
    with pytest.raises(Failure) as caught:
        read_policies("[mail]\nattempts = 1\n[fax]\n")
    assert caught.value.got.splitlines()[:2] == [
        "queues.toml has no table [charge].",
        "queues.toml has no table [report].",
    ]


def test_a_file_that_is_not_there_is_a_failure() -> None:
    with pytest.raises(Failure, match=r"queues\.toml"):
        read_policies(None)
