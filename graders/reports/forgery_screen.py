"""The forgeries of one lesson on a screen: what each got, what its files are worth, what was noticed."""

from rich.console import Console
from rich.text import Text

from graders.check import Verdict
from graders.reports.forgeries import Ending, Forgeries, ForgeryRow, held
from graders.reports.grid import grid
from graders.reports.page import Page, hanging, page_for, prose, show
from graders.reports.plain import one_line

SAID_CHARACTERS = 200


def render_forgeries(found: Forgeries, console: Console) -> None:
    """Print what became of the forgeries of one lesson."""
    show(forgery_lines(found, page_for(console, widest=160)), console)


def forgery_lines(found: Forgeries, page: Page) -> list[Text]:
    """A table, a trick a line; then in words what won, what was not run, and a final line."""
    found = page.legible(found)
    blocks = [_table(found, page), _troubles(found, page), _final(found, page)]
    return [line for block in blocks if block for line in [*block, Text()]][:-1]


def _table(found: Forgeries, page: Page) -> list[Text]:
    heading = [Text(word, "dim") for word in ("", "trick", "got", "score", "honest", "what was noticed")]
    head = Text(f"{found.lesson}: forgeries, held by {found.isolation}", "bold")
    rows = [[page.mark(_verdict(row)), *map(Text, _cells(row))] for row in found.rows]
    return [head, *grid([heading, *rows], page, flexible=5, right=frozenset({3, 4}), indent=0)]


def _verdict(row: ForgeryRow) -> Verdict:
    """A mark for a row: the grader held, it did not, or nobody knows."""
    if row.faults:
        return "fail"
    return "skipped" if row.got.ending == "not run" else "pass"


def _cells(row: ForgeryRow) -> tuple[str, ...]:
    score = "-" if row.got.ending == "not run" else f"{row.got.score:g}"
    return row.name, row.got.ending, score, f"{row.honest:g}", one_line(row.said, SAID_CHARACTERS)


def _troubles(found: Forgeries, page: Page) -> list[Text]:
    """Every trick that won, with what it tries, and every canary that was hurt."""
    lines: list[Text] = []
    for row in found.rows:
        for fault in row.faults:
            lines += prose(f"{row.name}: {one_line(fault)}", page, indent=2)
        if row.faults:
            lines += prose(f"It tries: {row.tries}", page, indent=4, style="dim")
    for canary in found.canaries:
        lines += prose(one_line(canary), page, indent=2)
    return [Text("The grader did not hold", "bold"), *lines] if lines else []


def _final(found: Forgeries, page: Page) -> list[Text]:
    won = sum(bool(row.faults) for row in found.rows)
    idle = _count(found, "not run")
    size = f"{len(found.rows)} forgeries"
    if won or found.canaries:
        return hanging(page.mark("fail"), f"{size}: {won} won, {len(found.canaries)} canaries hurt", page)
    if not held(found):
        return hanging(page.mark("skipped"), f"{size}: none won, {idle} were not run", page)
    return hanging(page.mark("pass"), f"{size}: none got more than its files are worth", page)


def _count(found: Forgeries, ending: Ending) -> int:
    return sum(row.got.ending == ending for row in found.rows)
