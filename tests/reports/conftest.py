"""Screens as text: what a console of a given width, encoding and terminal would have shown."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper

import pytest
from rich.console import Console


class Screen(TextIOWrapper):
    """A file in memory that can pass for a terminal."""

    def __init__(self, encoding: str, terminal: bool) -> None:
        self.bytes = BytesIO()
        self.terminal = terminal
        super().__init__(self.bytes, encoding=encoding, write_through=True)

    def isatty(self) -> bool:
        return self.terminal


@dataclass(frozen=True)
class Shown:
    """A console and what was printed on it."""

    console: Console
    screen: Screen

    @property
    def text(self) -> str:
        return self.screen.bytes.getvalue().decode(self.screen.encoding)


@pytest.fixture
def shown() -> Callable[..., Shown]:
    """Make a console: `shown(width=80, encoding="utf-8", terminal=False, environ={})`."""

    def make(
        width: int = 80,
        encoding: str = "utf-8",
        terminal: bool = False,
        environ: dict[str, str] | None = None,
    ) -> Shown:
        screen = Screen(encoding, terminal)
        given = {"TERM": "xterm-256color"} if environ is None else environ
        return Shown(
            Console(file=screen, width=width, height=40, _environ=given, legacy_windows=False), screen
        )

    return make
