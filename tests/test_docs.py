"""What the documents promise is there: commands, options, files, decisions."""

import re
from pathlib import Path

import click
import pytest

from octo_lab import cli
from tests.cli_reference import reference

REPOSITORY = Path(__file__).parents[1]
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/instructors.md",
    "docs/ci.md",
    *(str(p.relative_to(REPOSITORY)) for p in REPOSITORY.glob("labs/*/README.md")),
]


def commands(text: str) -> list[list[str]]:
    """The words after each `octo_lab` that stands in code."""
    code = re.findall(r"```[a-z]*\n(.*?)```|`([^`\n]+)`", text, re.S)
    lines = [line for block, inline in code for line in (block or inline).splitlines()]
    return [
        match[1].split()
        for line in lines
        if (match := re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?octo_lab (.+)", line))
    ]


def test_the_reference_page_is_fresh() -> None:
    assert (REPOSITORY / "docs" / "cli.md").read_text() == reference(), "run: make docs"


@pytest.mark.parametrize("page", PAGES)
def test_every_command_in_a_page_exists(page: str) -> None:
    found = commands((REPOSITORY / page).read_text())
    assert found, f"{page} shows no command"
    for words in found:
        command: click.Command = cli
        while isinstance(command, click.Group) and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        assert not isinstance(command, click.Group), f"{page}: no command {words}"
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert used <= known, f"{page}: {command.name} has no {used - known}"


@pytest.mark.parametrize(
    "page",
    [
        *PAGES,
        "CHANGELOG.md",
        *(f"docs/decisions/{p.name}" for p in (REPOSITORY / "docs" / "decisions").glob("*.md")),
    ],
)
def test_links_between_files_lead_somewhere(page: str) -> None:
    path = REPOSITORY / page
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), f"{page} links to {target}"


@pytest.mark.parametrize("target", ["grade", "test", "lint", "gate", "bench"])
def test_make_targets_of_the_readme_exist(target: str) -> None:
    assert f"make {target}" in (REPOSITORY / "README.md").read_text()
    assert re.search(rf"^{target}:", (REPOSITORY / "Makefile").read_text(), re.M)
