"""A runbook is read strictly, told its faults by line, and followed the same way each time."""

import pytest

from graders.check import Failure
from graders.lesson_08.runbook import Step, Window, follow, measured, read
from graders.probes.exposition import Page, Sample

STEP = """
[[step]]
name = "first"
metric = "jobs_queued"
of = "web"
take = "now"
above = 5
then = "backlog"
else = "healthy"
"""


def written(block: str) -> str:
    return f"# Title\n\nWords.\n\n```toml\n{block.strip()}\n```\n\nMore words.\n"


def faults(text: str | None) -> str:
    with pytest.raises(Failure) as refused:
        read(text)
    return refused.value.got


def page(**values: float) -> Page:
    """A page with series of calls by outcome."""
    samples = [
        Sample(
            "upstream_requests_total", {"upstream": "payments", "outcome": outcome.replace("_", "-")}, value
        )
        for outcome, value in values.items()
    ]
    return Page(tuple(samples), {}, "curl")


CALLS = Step("calls", "upstream_requests_total", "worker", "share", 0.5, "upstream", "healthy")


def test_a_runbook_in_the_form_of_the_lesson_is_read() -> None:
    (step,) = read(written(STEP))
    assert (step.name, step.otherwise, step.above) == ("first", "healthy", 5)


def test_other_blocks_of_toml_are_no_steps() -> None:
    assert len(read(written(STEP) + "\n```toml\nport = 1\n```\n")) == 1


@pytest.mark.parametrize("text", [None, "", "# Only words\n", "```toml\nport = 1\n```\n"])
def test_without_steps_that_is_said(text: str | None) -> None:
    assert "There is no" in faults(text)


def test_two_blocks_of_steps_are_refused() -> None:
    assert "2 blocks" in faults(written(STEP) + written(STEP))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("above = 5", "above = ", "line 11"),
        ("above = 5", 'above = "5"', "line 11: above"),
        ('take = "now"', 'take = "rate"', "line 10: take"),
        ('metric = "jobs_queued"', 'metric = "jobs"', "line 8: metric"),
        ('of = "web"', 'of = "worker"', "line 9: jobs_queued is told by web"),
        ('then = "backlog"', 'then = "first"', "line 12: `first` is neither a later step"),
        ('then = "backlog"', 'then = "nowhere"', "line 12: `nowhere` is neither"),
        ('name = "first"', 'name = "healthy"', "line 7: name"),
        ('of = "web"\n', "", "'of' is a required property"),
        ('of = "web"', 'of = "web"\nlabels = { status = "500" }', "line 10: jobs_queued has no label status"),
        ('of = "web"', 'of = "web"\namong = { kind = "mail" }', "Take `among` out"),
        ('of = "web"', 'of = "web"\nlabels = { kind = [] }', "line 10: labels"),
        ('of = "web"', 'of = "web"\nsince = 7', "'since' was unexpected"),
    ],
)
def test_a_fault_is_told_with_its_line(before: str, after: str, said: str) -> None:
    assert said in faults(written(STEP.replace(before, after)))


def test_steps_that_nobody_reaches_and_names_twice_are_told() -> None:
    other = STEP.replace('"first"', '"second"')
    assert "no step leads to `second`" in faults(written(STEP + other))
    assert "another step `first`" in faults(written(STEP + STEP))


def test_a_share_is_of_what_has_grown_meanwhile() -> None:
    step = Step(**{**vars(CALLS), "labels": {"outcome": ("failed", "no-answer")}})
    window = Window({"worker": (page(success=10, failed=90), page(success=11, failed=92, no_answer=1))})
    assert measured(step, window) == 0.75
    assert follow([step], window).end == "upstream"


def test_a_process_that_has_begun_anew_counts_from_nothing() -> None:
    step = Step(**{**vars(CALLS), "take": "growth", "labels": {"outcome": "success"}})
    assert measured(step, Window({"worker": (page(success=50), page(success=7))})) == 7


def test_who_does_not_answer_tells_nothing() -> None:
    assert measured(CALLS, Window({"worker": (page(success=5), None)})) == 0


def test_web_is_both_versions_and_one_is_one() -> None:
    pages = {"web-v1": (page(success=1), page(success=2)), "web-v2": (page(success=0), page(success=5))}
    both = Step(**{**vars(CALLS), "of": "web", "take": "growth"})
    assert measured(both, Window(pages)) == 6
    assert measured(Step(**{**vars(both), "of": "web-v2"}), Window(pages)) == 5


def test_a_walk_tells_each_step() -> None:
    walk = follow(read(written(STEP)), Window({"web-v1": (None, None), "web-v2": (None, None)}))
    assert walk.lines == ("first: 0 is not above 5, so on to healthy",)
