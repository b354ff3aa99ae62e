"""What is seen while a grade runs: a live display in a terminal, plain lines everywhere else."""

from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from graders.reports.grid import shortened
from graders.reports.model import Outcome, Phase
from graders.reports.page import STYLES, flowing, page_for, show
from graders.reports.plain import one_line


class Progress:
    """The phases and checks of a running grade, fed by events. A context manager: it always cleans up.

    console: where to show; bind it to standard error when standard output is for the report.
    checks: how many checks will run, 0 when not known.
    quiet: without a terminal, show nothing at all (a terminal still gets its live display).
    """

    def __init__(self, console: Console, *, checks: int = 0, quiet: bool = False) -> None:
        self._console = console
        self._page = page_for(console)
        self._expected = checks
        self._phases: list[str] = []
        self._outcomes: list[Outcome] = []
        self._since = 0.0
        self._doing = "starting"
        self._spinner = Spinner(self._page.marks.spinner)
        # FORCE_COLOR makes rich take a pipe for a terminal; redrawing needs a real one.
        animated = console.is_interactive and getattr(console.file, "isatty", lambda: False)()
        self._live = self._live_display() if animated else None
        self._silent = quiet and not animated

    def _live_display(self) -> Live:
        # Redirection would pull the report that goes to standard output into this display.
        return Live(
            get_renderable=self._display,
            console=self._console,
            transient=True,
            refresh_per_second=8,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._since = self._console.get_time()
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def phase_started(self, name: str) -> None:
        """A phase began: stores, install, release, boot, checks."""
        self._begin(name)

    def phase_ended(self, phase: Phase) -> None:
        """A phase ended, with what it took."""
        took = self._legible(f"{phase.name} {phase.seconds:.1f} s")
        self._phases.append(took)
        if not self._live:
            self._print(Text(f"{took}  {self._legible(phase.note)}".rstrip()))

    def check_started(self, id: str, title: str) -> None:
        """A check began."""
        self._begin(f"{id}{self._page.marks.dot}{title}")

    def check_ended(self, outcome: Outcome) -> None:
        """A check has its verdict. Without a terminal nothing is shown: the report lists all checks soon after."""
        self._outcomes.append(outcome)

    def note(self, text: str) -> None:
        """Something that takes long or is worth knowing, as a line that stays."""
        self._print(Text(self._legible(text)))

    def _begin(self, doing: str) -> None:
        self._doing = self._legible(doing)
        self._since = self._console.get_time()

    def _legible(self, text: str) -> str:
        return self._page.legible(one_line(text))

    def _print(self, line: Text) -> None:
        if not self._silent:
            show([line], self._console)

    def _display(self) -> Group:
        elapsed = self._console.get_time() - self._since
        room = self._page.width - 12
        doing = shortened(Text(self._doing), room, self._page)
        self._spinner.update(text=doing.append(f"  {elapsed:.0f} s", "dim"))
        done = flowing([Text(phase, "dim") for phase in self._phases], self._page)
        return Group(*done, self._spinner, *([self._ticks()] if self._outcomes else []))

    def _ticks(self) -> Text:
        line = Text()
        for outcome in list(self._outcomes):
            line.append(self._page.marks.ticks[outcome.verdict], STYLES[outcome.verdict])
        total = f" of {self._expected}" if self._expected else ""
        return line.append(f"  {len(self._outcomes)}{total} checks", "dim")
