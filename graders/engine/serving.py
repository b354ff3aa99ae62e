"""`octo_lab run` from the outside: the service and its stores up for use by hand, until Ctrl-C."""

from collections.abc import Callable

from compose import places
from compose.stores import Ground
from graders.engine.channel import Job, Nobody
from graders.engine.grade import Halt, result_of
from graders.engine.submission import Submission, examine
from graders.reports.model import Outcome, Phase, Trouble
from labs.catalog import Lab


class Printer(Nobody):
    """Prints what happens, a plain line each."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def phase_ended(self, phase: Phase) -> None:
        self._say(f"{phase.name} {phase.seconds:.1f} s")

    def note(self, text: str) -> None:
        self._say(text)


def run(
    lab: Lab, submission: Submission, say: Callable[[str], None], on: Ground = "embedded"
) -> tuple[Trouble | None, Outcome | None]:
    """Serve until interrupted. Returns why it could not: the machine's trouble, or the check it never reached."""
    examine(submission, lab)
    places.sweep()
    with places.run_directory() as directory:
        job = Job(lab, submission, 0, directory.path, serve=True, on=on)
        result = result_of(job, Printer(say), Halt())
    return result.trouble, next((outcome for outcome in result.outcomes if outcome.failure), None)
