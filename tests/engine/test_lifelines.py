"""A grade goes on for as long as those live for whom it works."""

from pathlib import Path

from compose.places import run_directory
from graders.engine import grade
from graders.engine.channel import Job, result
from graders.engine.submission import from_folder
from labs.catalog import Lab


def test_a_grade_looks_at_its_own_lifeline_while_pytest_has_standard_input(
    lab: Lab, submission: Path
) -> None:
    """Something to read wakes the watcher in the middle of a check. What pytest put there has an end, our pipe has not."""
    with run_directory() as run:
        job = Job(lab, from_folder(submission), 1, run.path, (), untrusted=False, install=True)
        verdicts = []
        with grade._keeper(job) as keeper:
            assert keeper.stdin
            for message in grade._messages(keeper):
                if message["event"] == "result":
                    verdicts = [outcome.verdict for outcome in result(message["result"]).outcomes]
                if message["event"] == "check_started":
                    keeper.stdin.write("x")
                    keeper.stdin.flush()
    assert verdicts == ["pass"] * 3
