"""The door of octo_lab: click commands, each of which calls one function and prints what it gives."""

# ruff: noqa: E402
import signal

# Until everything is loaded an interrupt just ends us; whoever started us may have it ignored (nohup).
ON_INTERRUPT = signal.getsignal(signal.SIGINT)
if ON_INTERRUPT is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import os
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import click
from rich.console import Console
from rich.markup import escape

import compose.platform_gate  # noqa: F401 - must come first
from compose.stores import Ground, StoresFailed
from graders.commands import docker
from graders.engine import (
    attempts,
    copies,
    forge,
    gradescope_zip,
    progress_rows,
    prove,
    replay,
    scaffold,
    serving,
    signing_key,
    transcripts,
)
from graders.engine.archives import unpacked
from graders.engine.attempts import StoreUnusable
from graders.engine.batch import Batch, grade_batch
from graders.engine.batch_entries import NoEntries, entries
from graders.engine.batch_state import StateUnusable
from graders.engine.checks import title_of, written_checks
from graders.engine.forgeries import corpus
from graders.engine.grade import Request, grade, kit_version
from graders.engine.lint import lint
from graders.engine.pool import cores
from graders.engine.replay import CannotVerify
from graders.engine.signing_key import KeyUnusable, NotSigned
from graders.engine.submission import Submission, SubmissionRefused, from_folder, reference
from graders.engine.whole_files import write_whole
from graders.reports import github_runner
from graders.reports.differences import difference_lines, differences, same_result
from graders.reports.forgeries import ForgeryRow, held
from graders.reports.forgery_screen import render_forgeries
from graders.reports.formats import FORMATS, lacking
from graders.reports.json_report import InvalidReport, dumps, loads
from graders.reports.lesson_screens import explanation_lines, hint_lines, titles_lines
from graders.reports.matrix import Row, faults, holds
from graders.reports.matrix_screen import render_matrix
from graders.reports.model import Report
from graders.reports.next_steps import NextLesson
from graders.reports.page import page_for, show
from graders.reports.plain import WHOLE_BYTES
from graders.reports.progress import Progress
from graders.reports.signature import key_id
from graders.reports.tables import lesson_lines, status_lines
from graders.reports.terminal import render, render_failure
from graders.reports.words import NoGrade
from labs.catalog import CheckSpec, Lab, ManifestError, UnknownLesson, all_labs, find

signal.signal(signal.SIGINT, ON_INTERRUPT)

PASSED, FAILED, USAGE, UNGRADED = 0, 1, 2, 3
INTERRUPTED, READER_GONE = 128 + signal.SIGINT, 128 + signal.SIGPIPE
EXIT_CODES = {"pass": PASSED, "fail": FAILED, "ungraded": UNGRADED}


class LessonName(click.ParamType[Lab]):
    """`lesson-05`, `lesson-5`, `05` or `5`."""

    name = "lesson"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Lab:
        if isinstance(value, Lab):
            return value
        try:
            return find(str(value))
        except UnknownLesson as error:
            near = f" Did you mean: {', '.join(error.suggestions)}?" if error.suggestions else ""
            self.fail(f"There is no lesson {error.asked!r}.{near} `octo_lab list` shows all.", param, ctx)
        except ManifestError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        labs = (lab for lab in all_labs() if lab.id.startswith(incomplete))
        return [click.shell_completion.CompletionItem(lab.id, help=lab.title) for lab in labs]


class ReportFile(click.ParamType[tuple[str, Path]]):
    """`FORMAT=FILE`."""

    name = "FORMAT=FILE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Path]:
        kind, _, file = str(value).partition("=")
        if kind not in FORMATS or not file:
            self.fail(f"{value!r} is not FORMAT=FILE with a format of {', '.join(FORMATS)}.", param, ctx)
        if lack := lacking(kind):
            self.fail(lack, param, ctx)
        if not Path(file).absolute().parent.is_dir():
            self.fail(f"there is no folder {Path(file).parent} to write {file} to.", param, ctx)
        if Path(file).is_dir():
            self.fail(f"{file} is a folder: name a file in it.", param, ctx)
        return kind, Path(file)


LESSON = LessonName()
SIGN_KEY = click.option(
    "--sign-key",
    type=click.Path(path_type=Path),
    help="The key that JSON reports are signed with: `octo_lab keygen`.",
)


UNTRUSTED = click.option(
    "--untrusted/--trusted",
    default=None,
    help="Grade in a sandbox or not at all; --trusted takes the best there is.  [default: untrusted if CI=true]",
)
NO_INSTALL = click.option(
    "--no-install", is_flag=True, help="Install nothing: the dependencies are there from before."
)

ON = click.option(
    "--on",
    type=click.Choice(["embedded", "docker"]),
    default="embedded",
    show_default=True,
    envvar="OCTO_LAB_ON",
    show_envvar=True,
    help="What stores and service run on: servers without Docker, or containers.",
)


class ReaderGone(Exception):
    """Whoever read our output went away. rich and click would end with 1, which is a verdict here."""


class Screen(Console):
    """A console that leaves a reader who went away to `main`."""

    def on_broken_pipe(self) -> None:
        raise ReaderGone


class Commands(click.Group):
    """A group that leaves a reader who went away to `main`."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGone from error


def stdout() -> Console:
    return Screen(highlight=False, soft_wrap=True)


def stderr() -> Console:
    return Screen(stderr=True, highlight=False, soft_wrap=True)


def example(text: str) -> str:
    return f"\b\nExample: {text}"


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=example("octo_lab grade lesson-05"),
)
@click.version_option(kit_version(), prog_name="octo_lab")
def cli() -> None:
    """Hands-on backend labs. Start one, break it, mend it, and have it graded on real servers.

    Exit codes: 0 passed, 1 failed, 2 usage, 3 could not grade.
    """


@cli.command("list", epilog=example("octo_lab list"))
def list_() -> None:
    """Show all lessons and how far you are."""
    console = stdout()
    show(lesson_lines(progress_rows.lessons(all_labs()), page_for(console)), console)


@cli.command(epilog=example("octo_lab start 05"))
@click.argument("lesson", type=LESSON)
def start(lesson: Lab) -> None:
    """Make your own copy of a lesson in work/ and say what to do."""
    made = copies.ensure(lesson)
    click.echo(f"{'Made' if made else 'You already have'} {shown(lesson.work)}: the files to mend.")
    click.echo(f"The lesson:  {shown(lesson.folder / 'README.md')}")
    click.echo(f"Then:        octo_lab grade {lesson.id}")


@cli.command("grade", epilog=example("octo_lab grade lesson-05 --report junit=report.xml"))
@click.argument("lesson", type=LESSON)
@click.option(
    "--submission", type=click.Path(path_type=Path), help="Grade this folder or archive, not work/LESSON."
)
@click.option(
    "--reference", "whole_reference", is_flag=True, help="Grade the reference service: it must pass."
)
@click.option("--seed", type=click.IntRange(0), help="Replay the random values of an earlier grade.")
@click.option(
    "--only", multiple=True, metavar="CHECK", help="Run this check and what it needs; never counts as a pass."
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the report as JSON on standard output, and nothing else there.",
)
@click.option(
    "--report",
    "files",
    type=ReportFile(),
    multiple=True,
    help=f"Write the report to a file, as {', '.join(FORMATS)}; may be given again.",
)
@SIGN_KEY
@click.option("-v", "--verbose", is_flag=True, help="Show every failure in full.")
@UNTRUSTED
@NO_INSTALL
@click.option(
    "--github/--no-github",
    default=None,
    help="Annotate the run and write its summary.  [default: on GitHub Actions]",
)
@ON
def grade_(
    lesson: Lab,
    submission: Path | None,
    whole_reference: bool,
    seed: int | None,
    only: tuple[str, ...],
    as_json: bool,
    files: tuple[tuple[str, Path], ...],
    sign_key: Path | None,
    verbose: bool,
    untrusted: bool | None,
    on: Ground,
    no_install: bool,
    github: bool | None,
) -> None:
    """Grade your copy of a lesson (made now, if you have none)."""
    for id in only:
        known_check(lesson, id)
    if sign_key and not (as_json or "json" in dict(files)):
        raise click.UsageError("--sign-key signs the JSON report: add --json or --report json=FILE.")
    formats = FORMATS | {"json": document(sign_key)}
    on_github = github_runner.is_here() if github is None else github
    say = partial(click.echo, err=as_json)
    with github_runner.obeying_nothing(say) if on_github else nullcontext():
        with unpacked(chosen(lesson, submission, whole_reference), lesson) as theirs:
            request = Request(
                lesson,
                theirs,
                seed,
                only,
                untrusted=by_default_in_ci(untrusted),
                install=not no_install,
                on=on,
            )
            report = graded(request, quiet=as_json)
        counted(report, counts=not (only or whole_reference))
        try:
            if as_json:
                click.echo(formats["json"](report))
            else:
                render(report, stdout(), verbose=verbose, next_lesson=following(lesson))
        finally:  # neither a screen nor a file that fails costs the other
            write_reports(report, files, formats)
    if on_github:
        github_runner.tell(report, say)
    sys.exit(EXIT_CODES[report.verdict])


@cli.command("grade-batch", epilog=example("octo_lab grade-batch lesson-05 submissions/* --out results"))
@click.argument("lesson", type=LESSON)
@click.argument("submissions", type=click.Path(path_type=Path), nargs=-1)
@click.option(
    "--csv",
    "lists",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    help="Grade what this file lists, too: lines of NAME,PATH.",
)
@click.option("--each", is_flag=True, help="Each SUBMISSIONS is a folder of submissions, not one itself.")
@click.option("--jobs", type=click.IntRange(1), default=cores, show_default="cores", help="Grades at once.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where results.csv and reports/ go.  [default: results/LESSON]",
)
@click.option("--seed", type=click.IntRange(0), help="The random values of every grade; else drawn once.")
@click.option(
    "--resume/--fresh", default=True, help="Keep rows that were finished before, or none.  [default: resume]"
)
@SIGN_KEY
@UNTRUSTED
@NO_INSTALL
@ON
def grade_batch_(
    lesson: Lab,
    submissions: tuple[Path, ...],
    lists: tuple[Path, ...],
    each: bool,
    jobs: int,
    out: Path | None,
    seed: int | None,
    resume: bool,
    sign_key: Path | None,
    untrusted: bool | None,
    no_install: bool,
    on: Ground,
) -> None:
    """Grade many submissions: folders, .zip, .tar, .tar.gz, .tar.bz2 or .tar.xz, a row and a report each.

    Exit codes: 0 every row has a verdict, whichever; 3 the batch was stopped or a row could not be graded; 2 usage.
    Grades nothing twice: after an interrupt or a crash, the same command goes on.
    """
    from graders.reports.batch_screen import BatchProgress, render_batch  # here, for `grade` needs it not

    folder = out or Path("results", lesson.id)
    batch = Batch(
        canary=Request(
            lesson,
            reference(),
            seed,
            untrusted=by_default_in_ci(untrusted),
            install=not no_install,
            on=on,
        ),
        entries=entries(lesson, submissions, lists, each=each),
        out=folder,
        jobs=jobs,
        document=document(sign_key),
        signed_with=key_id(signing_key.read(sign_key)) if sign_key else "",
    )
    try:
        with BatchProgress(stdout(), len(batch.entries)) as progress:
            found = grade_batch(batch, progress.told, fresh=not resume)
    except KeyboardInterrupt:
        click.echo(
            f"What is finished is kept in {shown(folder)}: the same command goes on from there.", err=True
        )
        raise
    render_batch(found.rows, stdout(), stopped=found.stopped, folder=shown(folder))
    sys.exit(UNGRADED if any(row.verdict == "ungraded" for row in found.rows) else PASSED)


@cli.command("verify", epilog=example("octo_lab verify report.json --sign-key key --replay submission/"))
@click.argument("report", type=click.Path(path_type=Path))
@SIGN_KEY
@click.option(
    "--replay", "files", type=click.Path(path_type=Path), help="Grade these files again, and compare."
)
@UNTRUSTED
@ON
def verify(
    report: Path, sign_key: Path | None, files: Path | None, untrusted: bool | None, on: Ground
) -> None:
    """Check the signature of a JSON report, or give its grade again with its seed, or both.

    Exit codes: 0 valid and the same, 1 not valid or another result, 2 unreadable or not signed, 3 could not grade.
    """
    if not (sign_key or files):
        raise click.UsageError("Say what to verify: --sign-key FILE, --replay FILES, or both.")
    brought = replay.read(report)
    if sign_key and (fault := replay.fault(brought, signing_key.read(sign_key))):
        click.echo(f"Signature: not valid. {fault}")
        sys.exit(FAILED)
    click.echo("Signature: valid." if sign_key else "Signature: not looked at, without --sign-key.")
    if files:
        sys.exit(replayed(brought.report, files, untrusted=by_default_in_ci(untrusted), on=on))


def replayed(report: Report, files: Path, *, untrusted: bool, on: Ground) -> int:
    """Grade again and print what differs; the exit code."""
    lesson = LESSON.convert(report.lesson, None, None)
    request = Request(lesson, from_folder(files), report.seed, untrusted=untrusted, on=on)
    with Progress(stdout(), checks=len(lesson.checks)) as progress:
        now = replay.replayed(report, request, progress)
    if now.trouble:
        stop(f"{now.trouble.problem}\n{now.trouble.remedy}", UNGRADED)
    found = differences(report, now)
    show(difference_lines(found, page_for(stdout())), stdout())
    return PASSED if same_result(found) else FAILED


@cli.command("keygen", epilog=example("octo_lab keygen signing.key"))
@click.argument("file", type=click.Path(path_type=Path))
def keygen(file: Path) -> None:
    """Make a key for --sign-key in a new file that only you can read."""
    signing_key.make(file)
    click.echo(
        f"Made {shown(file)}. Who has it can sign any verdict: keep it from submissions and from repositories."
    )


@cli.command("report", epilog=example("octo_lab report report.json --as html --output report.html"))
@click.argument("file", type=click.File("rb"))
@click.option("--as", "kind", type=click.Choice(["screen", *FORMATS]), default="screen", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@click.option("-v", "--verbose", is_flag=True, help="On the screen, show every failure in full.")
def report_(file: BinaryIO, kind: str, output: Path | None, verbose: bool) -> None:
    """Show a report that was written as JSON, or turn it into another format.

    The file (- for standard input) is checked against the schema first. The exit code says whether that went well,
    not what the verdict is.
    """
    report = loads(file.read(WHOLE_BYTES + 1).decode("utf-8", "replace"))
    if lack := lacking(kind) or ("--output needs --as FORMAT." if output and kind == "screen" else ""):
        raise click.UsageError(lack)
    if kind == "screen":
        render(report, stdout(), verbose=verbose)
    elif output:
        write_whole(output, FORMATS[kind](report))
    else:
        click.echo(FORMATS[kind](report), nl=False)


@cli.group(epilog=example("octo_lab export gradescope lesson-05"))
def export() -> None:
    """Make what other systems grade with."""


@export.command("gradescope", epilog=example("octo_lab export gradescope lesson-05"))
@click.argument("lesson", type=LESSON)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="[default: LESSON-gradescope.zip]"
)
def export_gradescope(lesson: Lab, output: Path | None) -> None:
    """Build the zip of a Gradescope autograder for a lesson."""
    file = output or Path(f"{lesson.id}-gradescope.zip")
    file.write_bytes(gradescope_zip.build(lesson))
    click.echo(f"Made {shown(file)}. Upload it as the autograder of a programming assignment, with")
    click.echo(f"  points      {sum(spec.points for spec in lesson.checks)}")
    click.echo("  base image  Ubuntu 24.04")
    click.echo("  container   2 GB of memory, 1 CPU or more; time limit 10 minutes or more")
    click.echo("What it keeps from a submission there, and what not: docs/ci.md")


@cli.command(epilog=example("octo_lab hint lesson-05"))
@click.argument("lesson", type=LESSON)
@click.argument("check", required=False)
def hint(lesson: Lab, check: str | None) -> None:
    """Show the next hint for the first failed check, or for CHECK; three steps each."""
    report = attempts.last_report(lesson.id)
    first = (
        next((outcome.id for outcome in report.checks if outcome.verdict == "fail"), None) if report else None
    )
    id = check or first
    if id is None:
        raise click.UsageError(
            f"Nothing has failed yet: grade first (octo_lab grade {lesson.id}), or name a check."
        )
    hints = known_check(lesson, id).hints
    console, shown = stdout(), attempts.next_hint(lesson.id, id)
    show(hint_lines(lesson.id, id, title_of(lesson, id), hints, shown, page_for(console)), console)


@cli.command(epilog=example("octo_lab explain lesson-05 first-page-bounded"))
@click.argument("named", nargs=-1, required=True, metavar="[LESSON] [CHECK]")
def explain(named: tuple[str, ...]) -> None:
    """Say what a check asks for, what it is worth, and where to read; of a lesson, what all its checks ask for."""
    *before, check = named
    whole = next((lab for lab in all_labs() if lab.id == check and not before), None)
    if whole:
        titles = {spec.id: title_of(whole, spec.id) for spec in whole.checks}
        show(titles_lines(titles, page_for(stdout())), stdout())
        return
    if len(before) > 1:
        raise click.UsageError("Name one check, and before it the lesson if you like.")
    lesson: Lab | None = LESSON.convert(before[0], None, None) if before else None
    labs = [lesson] if lesson else [lab for lab in all_labs() if lab.check(check)]
    if not labs:
        raise click.UsageError(f"No lesson has a check {check!r}. A grade lists the checks by name.")
    if len(labs) > 1:
        raise click.UsageError(
            f"{len(labs)} lessons have a check {check!r}. Name the lesson: octo_lab explain {labs[0].id} {check}"
        )
    console, lab = stdout(), labs[0]
    spec, written = known_check(lab, check), written_checks(lab).get(check)
    needs = written.needs if written else ()
    criterion = lab.criterion_text(spec.criterion)
    title = title_of(lab, check)
    show(
        explanation_lines(lab.id, check, title, criterion, spec.points, needs, spec.read, page_for(console)),
        console,
    )


@cli.command(epilog=example("octo_lab run lesson-05"))
@click.argument("lesson", type=LESSON)
@click.option(
    "--submission", type=click.Path(path_type=Path), help="Run this folder or archive, not work/LESSON."
)
@click.option("--reference", "whole_reference", is_flag=True, help="Run the reference service.")
@ON
def run(lesson: Lab, submission: Path | None, whole_reference: bool, on: Ground) -> None:
    """Start the service and its stores for use by hand; Ctrl-C ends them."""
    with unpacked(chosen(lesson, submission, whole_reference), lesson) as files:
        trouble, failed = serving.run(lesson, files, click.echo, on)
    if trouble:
        stop(f"{trouble.problem}\n{trouble.remedy}\n{trouble.details}".rstrip(), UNGRADED)
    if failed:
        render_failure(failed, stdout())
        sys.exit(FAILED)


@cli.command("watch", epilog=example("octo_lab watch lesson-05"))
@click.argument("lesson", type=LESSON)
@click.option("--poll", is_flag=True, help="Look for changes by polling (network file systems, WSL mounts).")
@ON
def watch_(lesson: Lab, poll: bool, on: Ground) -> None:
    """Grade again whenever you save a file of your copy; Ctrl-C ends it."""
    from graders.engine import watch  # here, for the same reason

    copies.ensure(lesson)
    for _ in watch.saves(lesson.work, poll=poll):
        report = graded(Request(lesson, from_folder(lesson.work), on=on))
        counted(report, counts=True)
        render(report, stdout(), next_lesson=following(lesson))
        click.echo(f"\nWatching {shown(lesson.work)}: save a file to grade again, Ctrl-C to stop.")


@cli.command(epilog=example("octo_lab reset lesson-05"))
@click.argument("lesson", type=LESSON)
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(lesson: Lab, yes: bool) -> None:
    """Put the lesson's broken files back; your copy is kept as a backup."""
    if lesson.work.exists() and not yes:
        click.confirm(
            f"Put the broken files of {lesson.id} back? (Your files are kept as a backup.)", abort=True
        )
    kept = copies.reset(lesson)
    click.echo(
        f"{shown(lesson.work)} is as the lesson ships it." + (f" Your files: {shown(kept)}" if kept else "")
    )


@cli.command(epilog=example("octo_lab status"))
def status() -> None:
    """Show your attempts and best scores."""
    console = stdout()
    show(status_lines(progress_rows.attempted(), page_for(console)), console)


@cli.command("doctor", epilog=example("octo_lab doctor --clean"))
@click.option("--clean", is_flag=True, help="Empty the cache and sweep what killed runs left.")
def doctor_(clean: bool) -> None:
    """Show what this machine has, what it lacks, and what to do."""
    from graders.engine import doctor  # here, since it loads what a grade starts quicker without

    findings = [*doctor.clean()] if clean else [*doctor.examine()]
    for finding in findings:
        click.echo(str(finding))
    sys.exit(PASSED if all(finding.fine for finding in findings) else UNGRADED)


@cli.group()
def dev() -> None:
    """For authors of lessons."""


@dev.command("new", epilog=example("octo_lab dev new lesson-14"))
@click.argument("lesson")
def dev_new(lesson: str) -> None:
    """Lay out a new lesson that fails `dev check` with a list of what is left to write."""
    try:
        made = scaffold.new(lesson)
    except scaffold.CannotMake as error:
        raise click.UsageError(str(error)) from error
    for path in made:
        click.echo(f"made {shown(path)}")
    click.echo(f"What is left to write:  octo_lab dev check {made[0].parent.name}")


@dev.command("check", epilog=example("octo_lab dev check lesson-05 --repeat 5 --stress"))
@click.argument("lessons", type=LESSON, nargs=-1)
@click.option(
    "--repeat", type=click.IntRange(1), default=1, show_default=True, help="Grade each fix this often."
)
@click.option("--stress", is_flag=True, help="Keep every core busy meanwhile.")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Grades at once.")
@ON
@click.option(
    "--fix", default="", help="Only fixes (or forgeries) whose name contains this; never counts as a proof."
)
@click.option(
    "--focused", is_flag=True, help="Show a wrong fix only the checks it must fail: a third of the time."
)
@click.option(
    "--cover", is_flag=True, help="Take only as few wrong fixes as fail every check, and no right patch."
)
@click.option("--static", is_flag=True, help="Only look at the files; never counts as a proof.")
@click.option("--keep-transcripts", is_flag=True, help="Keep what the failures say now; read it first.")
@click.option(
    "--forgeries", "forged", is_flag=True, help="Instead, run the forgery corpus: no trick may win."
)
def dev_check(lessons: tuple[Lab, ...], static: bool, forged: bool, **how: Any) -> None:
    """The gate: prove that each lesson's grader tells right from wrong."""
    if forged:
        all_held = [
            unforged(lab, jobs=how["jobs"], only=how["fix"], on=how["on"]) for lab in lessons or finished()
        ]
        sys.exit(PASSED if all(all_held) else FAILED)
    proved = [written(lab) and not static and proof(lab, **how) for lab in lessons or finished()]
    sys.exit(PASSED if proved and all(proved) else FAILED)


def finished() -> list[Lab]:
    """All lessons but drafts; says which those are."""
    labs = all_labs()
    for lab in labs:
        if lab.draft:
            click.echo(f"{lab.id}: a draft, passed over (name it to prove it)")
    return [lab for lab in labs if not lab.draft]


def written(lab: Lab) -> bool:
    """Whether everything an author must write is there; prints what is not."""
    missing = lint(lab)
    for fault in missing:
        click.echo(f"{lab.id}: {fault}")
    click.echo(f"{lab.id}: {len(missing) or 'nothing'} left to write")
    return not missing


def proof(
    lab: Lab,
    *,
    repeat: int,
    stress: bool,
    jobs: int,
    fix: str,
    focused: bool,
    cover: bool,
    on: Ground,
    keep_transcripts: bool,
) -> bool:
    """Grade all fixes of a lab; print the matrix, and where the failures' words have changed."""

    def told(row: Row) -> None:
        wrong = faults(row, tuple(spec.id for spec in lab.checks))
        click.echo(f"{'!' if wrong else '.'} {row.kind:9} {row.name} {row.seconds:.1f} s", err=True)

    with prove.stress(stress):
        found = prove.prove(
            lab, repeat=repeat, jobs=jobs, only=fix, focused=focused, cover=cover, done=told, on=on
        )
    render_matrix(found.matrix, stdout())
    if focused:
        click.echo("Each wrong fix met only the checks it must fail. Without --focused it meets them all.")
    if cover:
        click.echo(
            "There were only as few wrong fixes as fail every check, and no right patch. Without --cover there are all."
        )
    if keep_transcripts:
        transcripts.keep(lab, found.reports)
    changed = transcripts.differences(lab, found.reports)
    for sentence in changed:
        click.echo(sentence)
    return holds(found.matrix) and not changed


def unforged(lab: Lab, *, jobs: int, only: str, on: Ground) -> bool:
    """Run the forgeries whose name contains `only` against a lab; print what became of each."""

    def told(row: ForgeryRow) -> None:
        click.echo(
            f"{'!' if row.faults else '.'} {row.got.ending:8} {row.name} {row.got.seconds:.1f} s", err=True
        )

    found = forge.run(lab, [each for each in corpus() if only in each.name], jobs=jobs, done=told, on=on)
    render_forgeries(found, stdout())
    return held(found) and not only


# --- what several commands share ----------------------------------------------------------------------------


def chosen(lesson: Lab, submission: Path | None, whole_reference: bool) -> Submission:
    """Whose files: the folder given, the reference, or the learner's copy."""
    if submission and whole_reference:
        raise click.UsageError("--submission and --reference exclude each other.")
    if whole_reference:
        return reference()
    if submission is None and copies.ensure(lesson):
        click.echo(f"Made {shown(lesson.work)}: your copy of the broken service, to mend.", err=True)
    return from_folder(submission or lesson.work)


def graded(request: Request, *, quiet: bool = False) -> Report:
    """Grade with a display: live in a terminal, plain lines elsewhere; on standard error when `quiet`."""
    console = stderr() if quiet else stdout()
    with Progress(console, checks=len(request.lab.checks), quiet=quiet) as progress:
        return grade(request, progress)


def by_default_in_ci(untrusted: bool | None) -> bool:
    """What was asked for; else whether a CI machine runs us, which grades what strangers wrote."""
    return os.environ.get("CI", "").lower() in ("true", "1") if untrusted is None else untrusted


def counted(report: Report, *, counts: bool) -> None:
    """Keep the attempt. A store that cannot be written costs the record, not the verdict."""
    try:
        attempts.keep(report, counts=counts)
    except StoreUnusable as error:
        click.echo(f"This attempt was not recorded: {error}", err=True)


def write_reports(
    report: Report, files: tuple[tuple[str, Path], ...], formats: Mapping[str, Callable[[Report], str]]
) -> None:
    """Write each report asked for. What is no grade leaves a gradebook no file, not even one from before."""
    for kind, file in files:
        try:
            write_whole(file, formats[kind](report))
        except NoGrade as error:
            if file.is_file():
                file.unlink()
            click.echo(f"{shown(file)} was not written. {error}", err=True)


def following(lesson: Lab) -> NextLesson | None:
    after = next((lab for lab in all_labs() if lab.id > lesson.id), None)
    return NextLesson(after.id, after.title) if after else None


def document(sign_key: Path | None) -> Callable[[Report], str]:
    """How a report becomes a JSON file: signed, when there is a key. Raises KeyUnusable."""
    if sign_key is None:
        return dumps
    signing_key.expect_usable(sign_key)
    return partial(signing_key.signed_document, file=sign_key)


def known_check(lesson: Lab, id: str) -> CheckSpec:
    if found := lesson.check(id):
        return found
    raise click.UsageError(
        f"{lesson.id} has no check {id!r}. It has: {', '.join(spec.id for spec in lesson.checks)}."
    )


def shown(path: Path) -> str:
    """The path from here where it is below, else in full."""
    try:
        here = Path.cwd()
    except FileNotFoundError:  # somebody removed it
        return str(path)
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def stop(text: str, code: int) -> NoReturn:
    stderr().print(escape(text))
    sys.exit(code)


docker.add_to(cli, LESSON, chosen)


def main() -> None:
    """Run a command. Whatever the input, a clear sentence and an exit code; a traceback is a bug of ours."""
    for each in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, signal.default_int_handler)
    try:
        cli.main(prog_name="octo_lab", standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.Abort:
        stop("Stopped. Nothing is left running.", INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE)
    except SubmissionRefused as error:
        stop(f"{error.problem}\n{error.remedy}", USAGE)
    except (ManifestError, NoEntries, StateUnusable, KeyUnusable, CannotVerify, InvalidReport) as error:
        stop(str(error), USAGE)
    except (NotSigned, NoGrade) as error:
        stop(str(error), UNGRADED)
    except StoresFailed as error:
        stop(f"{error.problem}\n{error.remedy}\n{error.details}".rstrip(), UNGRADED)
    except ReaderGone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains when it flushes at its end
        sys.exit(READER_GONE)
    except (StoreUnusable, OSError) as error:
        stop(str(error), UNGRADED)
    except Exception:  # or Python would end with 1, which is a verdict
        stop(f"This is a fault of octo_lab; please report it.\n{traceback.format_exc()}", UNGRADED)


if __name__ == "__main__":
    main()
