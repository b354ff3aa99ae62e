"""What an author must have written before a lab can be proved: one plain sentence for each thing that is missing."""

import ast
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from graders.engine.checks import WrittenCheck, parsed, written_checks
from graders.engine.prove import fix_path, fixes
from graders.engine.submission import SubmissionRefused, apply, lay, reference
from labs.catalog import Lab, ManifestError

PLACEHOLDER = "TO WRITE"
PUBLISHED = "published_checks.txt"


def lint(lab: Lab) -> list[str]:
    """All faults of a lab that can be seen without running it."""
    written = written_checks(lab)
    return [
        *_files(lab),
        *_checks(lab, written),
        *_published(lab),
        *_assertions(lab),
        *_fixes(lab),
        *_placeholders(lab),
    ]


def _files(lab: Lab) -> Iterator[str]:
    if not (lab.folder / "README.md").is_file():
        yield f"labs/{lab.id}/README.md is missing: write the lesson"
    if not any(path.is_file() for path in lab.service.rglob("*")):
        yield f"labs/{lab.id}/service is empty: put the broken files there, each at its path in reference_service"
    for path in lab.service.rglob("*"):
        inside = path.relative_to(lab.service)
        if path.is_file() and not (lab.reference / inside).exists():
            yield f"labs/{lab.id}/service/{inside} has no twin in reference_service: a stray file, or a wrong path"


def _checks(lab: Lab, written: dict[str, WrittenCheck]) -> Iterator[str]:
    order = [spec.id for spec in lab.checks]
    for id in order:
        if id not in written:
            yield f"check {id} stands in lab.toml, but no test function has @check({id!r})"
    for id, check in written.items():
        place = f"{check.path.name}:{check.line}"
        if id not in order:
            yield f"{place}: @check({id!r}) is not in lab.toml: give it points, a criterion and three hints"
            continue
        if not check.title:
            yield f"{place}: {id} has no docstring: it is the title that the learner reads"
        for need in check.needs:
            if need not in order or order.index(need) >= order.index(id):
                yield f"{place}: {id} needs {need!r}, which is no earlier check of lab.toml"


def _published(lab: Lab) -> Iterator[str]:
    """Ids never change: reports and progress of learners refer to them."""
    path = lab.grader / PUBLISHED
    published = path.read_text().split() if path.is_file() else []
    ids = [spec.id for spec in lab.checks]
    for id in published:
        if id not in ids:
            yield f"check {id} was published and is gone from lab.toml: ids never change; bring it back"
    for id in ids:
        if id not in published:
            yield f"check {id} is not in {path.name}: add the line when the check is final"


def _assertions(lab: Lab) -> Iterator[str]:
    for path in sorted(lab.grader.glob("*.py")):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Assert) and node.msg is None:
                yield f"{path.name}:{node.lineno}: an assert without a message"


def _fixes(lab: Lab) -> Iterator[str]:
    try:
        listed = [fix for fix in fixes(lab) if fix.kind in ("wrong", "right")]
    except ManifestError as error:
        yield str(error)
        return
    ids = {spec.id for spec in lab.checks}
    for fix in listed:
        if not fix_path(lab, fix.kind, fix.name).exists():
            yield f"{fix.kind} fix {fix.name}: no {fix.name}.patch and no folder {fix.name}/ in {fix.kind}_fixes"
        if not fix.why:
            yield f"{fix.kind} fix {fix.name} does not say why a person would make it"
        if fix.kind == "wrong" and not fix.expected:
            yield f"wrong fix {fix.name} names no check that it fails"
        yield from (
            f"wrong fix {fix.name} must fail {id}, but there is no such check" for id in fix.expected - ids
        )
    yield from _patches(lab)
    yield from _strays(lab, {(fix.kind, fix.name) for fix in listed})
    for kind in ("wrong", "right"):
        if not any(fix.kind == kind for fix in listed):
            yield f"there is no {kind} fix in fixes.toml"


def _patches(lab: Lab) -> Iterator[str]:
    """A patch was made from a reference that goes on."""
    with TemporaryDirectory() as tree:
        lay(reference(), lab, Path(tree))
        for patch in sorted(lab.grader.glob("*_fixes/*.patch")):
            try:
                apply(patch, Path(tree), only_look=True)
            except SubmissionRefused as refusal:
                yield f"{refusal.problem}. {refusal.remedy}"


def _strays(lab: Lab, listed: set[tuple[str, str]]) -> Iterator[str]:
    for kind in ("wrong", "right"):
        for path in sorted((lab.grader / f"{kind}_fixes").glob("*")):
            if (kind, path.stem if path.is_file() else path.name) not in listed:
                yield f"{path.parent.name}/{path.name} is not listed in fixes.toml"


def _placeholders(lab: Lab) -> Iterator[str]:
    for folder in (lab.folder, lab.grader):
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".md", ".toml", ".py", ".sql") and "_fixes" not in str(path.parent):
                yield from _marks(path, lab.kit)


def _marks(path: Path, kit: Path) -> Iterator[str]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if PLACEHOLDER in line:
            yield f"{path.relative_to(kit)}:{number}: {line.strip(' #').strip()}"
