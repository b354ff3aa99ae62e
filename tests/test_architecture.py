"""The directions between the rooms hold, also for lessons that are added later."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
KIT_PACKAGES = {"octo_lab", "labs", "graders", "compose"}


def contracts() -> list[dict[str, list[str]]]:
    data = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    found: list[dict[str, list[str]]] = data["tool"]["importlinter"]["contracts"]
    return found


def test_imports_run_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    linted = subprocess.run(
        [linter, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert linted.returncode == 0, linted.stdout


def test_every_lesson_is_held_to_the_contract() -> None:
    lessons = {f"graders.{path.name}" for path in (REPOSITORY / "graders").glob("lesson_*")}
    held = {module for contract in contracts() for module in contract.get("source_modules", [])}
    assert lessons <= held, "add the new lesson to [tool.importlinter] in pyproject.toml"


def test_the_reference_knows_nothing_of_the_kit() -> None:
    for path in (REPOSITORY / "reference_service").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & KIT_PACKAGES, path
