"""Reads the checks of a lesson from its test files without running them: id, needs, title, place."""

import ast
from dataclasses import dataclass
from pathlib import Path

from graders.check import Verdict
from graders.reports.model import FailureText, Outcome
from labs.catalog import CheckSpec, Lab, ManifestError


@dataclass(frozen=True)
class WrittenCheck:
    """One test function marked with @check. The title is the first paragraph of its docstring."""

    id: str
    needs: tuple[str, ...]
    title: str
    path: Path
    line: int


def written_checks(lab: Lab) -> dict[str, WrittenCheck]:
    """All checks in the grader's folder, by id. Raises ManifestError for a file that is not Python."""
    found: dict[str, WrittenCheck] = {}
    for path in sorted(lab.grader.glob("test_*.py")):
        for node in parsed(path).body:
            if isinstance(node, ast.FunctionDef) and (check := _check(node, path)):
                found[check.id] = check
    return found


def parsed(path: Path) -> ast.Module:
    """A file of the grader, read but not run. Raises ManifestError."""
    try:
        return ast.parse(path.read_bytes(), str(path))
    except (OSError, SyntaxError, ValueError) as error:
        raise ManifestError(f"{path}: {error}") from error


def title_of(lab: Lab, id: str) -> str:
    check = written_checks(lab).get(id)
    return check.title if check else id


def _check(node: ast.FunctionDef, path: Path) -> WrittenCheck | None:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) in ("check", "check.check"):
            id = str(ast.literal_eval(decorator.args[0]))
            needs = next((ast.literal_eval(k.value) for k in decorator.keywords if k.arg == "needs"), ())
            return WrittenCheck(id, tuple(needs), title(ast.get_docstring(node)), path, node.lineno)
    return None


def title(docstring: str | None) -> str:
    """The first paragraph on one line, without its full stop."""
    return " ".join((docstring or "").strip().split("\n\n")[0].split()).rstrip(".")


def outcome_of(
    lab: Lab, spec: CheckSpec, verdict: Verdict, note: str = "", failure: FailureText | None = None
) -> Outcome:
    """The outcome of a check that did not run itself, with what the lesson says of it."""
    criterion = lab.criterion_text(spec.criterion)
    return Outcome(
        spec.id, title_of(lab, spec.id), criterion, spec.points, verdict, note=note, failure=failure
    )
