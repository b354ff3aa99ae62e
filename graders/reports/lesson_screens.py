"""The screens of `hint` and `explain`: what a learner reads beside a failure."""

from collections.abc import Mapping, Sequence

from rich.text import Text

from graders.reports.failure_screen import LABEL, QUIET
from graders.reports.page import Page, prose

LADDER = ("where to look", "what to think of", "how it is done")


def hint_lines(lesson: str, id: str, title: str, hints: Sequence[str], shown: int, page: Page) -> list[Text]:
    """The first `shown` hints of a check, and how to get the next one."""
    lines = [Text(id, "bold"), *prose(title, page, indent=2)]
    for number, (step, text) in enumerate(zip(LADDER, hints[:shown], strict=False), 1):
        lines += [Text(f"  Hint {number} of 3: {step}", LABEL), *prose(text, page, indent=4)]
    more = f"octo_lab hint {lesson} {id}"
    end = (
        f"Once more for the next one: {more}"
        if shown < 3
        else "That was the last hint. `octo_lab explain` says where to read."
    )
    return [*lines, *prose(end, page, style=QUIET)]


def titles_lines(titles: Mapping[str, str], page: Page) -> list[Text]:
    """What each check asks for, in whole sentences."""
    return [
        line for id, title in titles.items() for line in (Text(id, "bold"), *prose(title, page, indent=2))
    ]


def explanation_lines(
    lesson: str,
    id: str,
    title: str,
    criterion: str,
    points: int,
    needs: Sequence[str],
    read: Sequence[str],
    page: Page,
) -> list[Text]:
    """What a check asks for, what it is worth, what must pass before it, and where to read."""
    lines = [Text(id, "bold"), *prose(title, page, indent=2)]
    parts = {
        "Criterion": [criterion],
        "Worth": [f"{points} point{'s' if points != 1 else ''} of {lesson}"],
        "Runs after": list(needs),
        "Read": list(read),
    }
    for label, texts in parts.items():
        if texts:
            lines += [
                Text(f"  {label}", LABEL),
                *(row for text in texts for row in prose(text, page, indent=4)),
            ]
    return lines
