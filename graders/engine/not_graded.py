"""Reports on what was never run: files that were refused, and grades that the machine or the kit could not give."""

from datetime import UTC, datetime

from graders.engine.channel import Result
from graders.engine.checks import outcome_of
from graders.engine.grade import Request, report_of
from graders.engine.submission import SubmissionRefused
from graders.reports.model import FailureText, Outcome, Report, Trouble


def refused(request: Request, refusal: SubmissionRefused) -> Report:
    """A fail with no points, as for a service that does not start: what is handed in is the learner's."""
    lab = request.lab
    first, *others = lab.checks
    failure = FailureText(
        did=f"octo_lab grade {lab.id} --submission FOLDER-OR-ARCHIVE",
        expected="Plain source files, as many and as large as a service needs.",
        got=refusal.problem,
        because=f"What cannot be laid out cannot be graded. {refusal.remedy}",
        log=(),
        read=first.read,
    )
    note = f"needs {first.id}: the files were refused"
    outcomes = (
        outcome_of(lab, first, "fail", failure=failure),
        *(outcome_of(lab, spec, "skipped", note) for spec in others),
    )
    return _report(request, outcomes, None)


def ungraded(request: Request, trouble: Trouble) -> Report:
    """No verdict: the trouble says why."""
    return _report(request, (), trouble)


def _report(request: Request, outcomes: tuple[Outcome, ...], trouble: Trouble | None) -> Report:
    result = Result(outcomes, (), "", "none: nothing of it ran", {}, trouble)
    return report_of(request, result, request.seed or 0, datetime.now(UTC), 0.0)
