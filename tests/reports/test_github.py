"""The step summary and the annotations, read as GitHub reads them: a Markdown parser, and the runner's own rules."""

import re
from dataclasses import replace
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from syrupy.assertion import SnapshotAssertion

from graders.reports.github_commands import SHOWN_PER_STEP, annotations, resume_commands, stop_commands
from graders.reports.github_markdown import fence, prose, text, to_github_summary
from graders.reports.github_runner import obeying_nothing
from graders.reports.model import Report
from graders.reports.words import by_hand, replay

from . import samples

SUMMARY_BYTES = 1024 * 1024  # above this GitHub uploads nothing
OUR_TAGS = {"<details open>", "<details>", "</details>", "<summary>", "</summary>", "<b>", "</b>"}
PLAIN = {"text", "softbreak", "hardbreak", "strong_open", "strong_close"}


def tokens(markdown: str) -> list[tuple[str, str]]:
    """Type and content of each block and inline token, in order."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    found: list[tuple[str, str]] = []
    for token in parser.parse(markdown):
        found.append((token.type, token.content))
        found += [(child.type, child.content) for child in token.children or ()]
    return found


@samples.every
def test_only_our_own_markup_is_markup(report: Report) -> None:
    found = tokens(to_github_summary(report))
    assert {kind for kind, _ in found} <= {
        *PLAIN,
        *("heading_open", "heading_close", "inline", "paragraph_open", "paragraph_close"),
        *("fence", "html_block", "html_inline"),
        *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
        *(
            f"{part}_{end}"
            for part in ("table", "thead", "tbody", "tr", "th", "td")
            for end in ("open", "close")
        ),
    }, "no link, no image, no code span that a submission could have closed"
    for kind, content in found:
        if kind in ("html_block", "html_inline"):
            assert set(re.findall("<[^>]*>", content)) <= OUR_TAGS


@samples.every
def test_each_fence_holds_one_whole_part(report: Report) -> None:
    kinds = [kind for kind, _ in tokens(to_github_summary(report))]
    assert kinds.count("heading_open") == 1
    assert kinds.count("table_open") == 1
    assert kinds.count("tr_open") == 1 + len(report.checks)


@samples.every
def test_it_stays_under_githubs_cap(report: Report) -> None:
    assert len(to_github_summary(report).encode()) <= SUMMARY_BYTES


@pytest.mark.parametrize(
    "given",
    [
        "[a](javascript:b) ![c](http://d) <img src=x>",
        "**bold** _so_ ~~so~~ `so` $so$ | cell",
        "# heading",
        "1. list",
        "> quote",
        "&lt;script&gt; &#60;",
        "line\nbreak\r\nand\ttab",
    ],
)
def test_text_is_shown_as_it_is(given: str) -> None:
    found = tokens(text(given))
    assert {kind for kind, _ in found} <= {"paragraph_open", "inline", "text", "paragraph_close"}
    shown = "".join(content for kind, content in found if kind == "text")
    assert shown.replace("\u200b", "") == " ".join(given.split())


def test_prose_keeps_its_lines_and_paragraphs() -> None:
    found = tokens(prose("1. one\n- two\n\n\n# three\n"))
    assert [kind for kind, _ in found].count("paragraph_open") == 2
    assert [kind for kind, _ in found].count("hardbreak") == 1
    assert [content for kind, content in found if kind == "text"] == ["1. one", "- two", "#\u200b three"]


def test_nobody_is_mentioned_and_nothing_is_linked() -> None:
    shown = "".join(
        content for kind, content in tokens(text("@a a@b.org #1 www.a.org http://a.org")) if kind == "text"
    )
    assert not re.search(r"@\w|#\d|www\.", shown)
    assert "http:" not in text("http://a.org")


def test_a_fence_is_longer_than_any_in_it() -> None:
    given = "```\n`````\n</details>\n~~~"
    assert [content for kind, content in tokens(fence(given)) if kind == "fence"] == [given + "\n"]


def test_printed_in_a_log_it_commands_nothing() -> None:
    assert not re.search(r"(?m)^\s*::|##\[", to_github_summary(samples.HOSTILE))


@pytest.mark.parametrize("name", ["several", "ungraded", "hostile", "blocked", "partial"])
def test_the_summary(name: str, snapshot: SnapshotAssertion) -> None:
    assert to_github_summary(samples.EVERY[name]) == snapshot


# --- annotations --------------------------------------------------------------------------------------------

COMMAND = re.compile(r"::(notice|warning|error) title=([^,:\r\n]*)::([^\r\n]*)")


@samples.every
def test_every_annotation_is_one_command(report: Report) -> None:
    for line in annotations(report):
        match = COMMAND.fullmatch(line)
        assert match, line[:200]
        assert not re.search("%(?!25|0D|0A|3A|2C)", line), "what is escaped is what the runner unescapes"


@samples.every
def test_no_more_than_github_shows(report: Report) -> None:
    kinds = [line.split()[0] for line in annotations(report)]
    assert max(kinds.count(kind) for kind in kinds) <= SHOWN_PER_STEP


def test_an_annotation_says_what_was_expected_and_what_came() -> None:
    title, message = COMMAND.fullmatch(annotations(samples.FAILED)[1]).groups()[1:]  # type: ignore[union-attr]
    assert unquote(title) == "lesson-05 hot-read-bounded"
    assert samples.WHALE.expected in unquote(message)


def test_ungraded_is_a_warning_with_the_remedy() -> None:
    kind, title, message = COMMAND.fullmatch(annotations(samples.UNGRADED)[0]).groups()  # type: ignore[union-attr]
    assert (kind, unquote(title)) == ("warning", "lesson-05 could not be graded")
    assert "Free some disk space" in unquote(message)


def test_commands_stop_and_resume_with_the_same_token() -> None:
    assert (stop_commands("t0ken"), resume_commands("t0ken")) == ("::stop-commands::t0ken", "::t0ken::")


def test_after_an_error_the_runner_obeys_nothing_more() -> None:
    said: list[str] = []
    with pytest.raises(OSError), obeying_nothing(said.append):  # noqa: PT011 - any error will do
        raise OSError("a file named \n::error::owned")
    assert [line.split("::")[1] for line in said] == ["stop-commands"]


def test_a_forged_name_is_no_second_command() -> None:
    forged = replace(samples.FAILED, lesson="lesson-05; reboot")
    assert replay(forged) == "octo_lab grade 'lesson-05; reboot' --seed 20251120"
    assert by_hand(forged, "$(reboot)").splitlines()[1] == "octo_lab hint 'lesson-05; reboot' '$(reboot)'"
