"""A requirements.txt asks for releases by name; whatever else pip would do, it does not get to."""

from pathlib import Path

import pytest

from graders.engine.requirements import NotARelease, releases

REPOSITORY = Path(__file__).parents[2]


def test_the_reference_and_usual_lines_are_kept() -> None:
    assert len(releases((REPOSITORY / "reference_service" / "requirements.txt").read_bytes())) > 5
    usual = ["six", "psycopg[binary,pool] >=3.2, <4", "six (==1.17)", "a==1+local; python_version >= '3.11'"]
    assert releases("\r\n".join(usual).encode()) == usual
    assert releases(b"# nothing\n\n  # at all\n") == []


@pytest.mark.parametrize(
    "line",
    [
        "-e .",
        "-r /etc/shadow",
        "--index-url http://127.0.0.1:9/simple",
        "./tree/evil",
        "tree/evil",
        "evil @ file:///tmp/evil",
        "https://example.org/evil.whl",
        "six==$HOME",
        "six -e./evil",
        "six; python_version > '3' --config-settings=a=b",
        "six \\\n -e evil",
        "\ufeffsix",
        "\0",
    ],
)
def test_anything_else_is_refused(line: str) -> None:
    with pytest.raises(NotARelease):
        releases(f"# first\nsix==1.17\n{line}\n".encode())


def test_no_comment_can_name_another_encoding_for_pip() -> None:
    assert releases(b"# coding: utf-7\nsix+AAo--e\n") == ["six+AAo--e"]


def test_a_line_without_end_takes_no_time() -> None:
    for long in (b"a" * 1_000_000 + b"$", b"a" + b" " * 1_000_000 + b"$", b"a==1;" + b" -" * 500_000):
        with pytest.raises(NotARelease):
            releases(long)
