"""The service is laid out as its README says: rooms, one direction between them, one screen a file."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reference_service.running import SERVICE

PACKAGE = SERVICE / "billing"
MODULES = sorted(PACKAGE.rglob("*.py"))
ALLOWED = {
    "domain": {"domain"},
    "telemetry": {"telemetry"},
    "storage": {"domain", "storage", "telemetry"},
    "operations": {"operations", "storage.asking", "storage.pool", "telemetry"},
    "http": {"domain", "http", "operations", "storage", "telemetry"},
    "upstream": {"domain", "upstream", "telemetry"},
    "jobs": {
        "domain",
        "http.beside",
        "jobs",
        "operations.logs",
        "storage",
        "telemetry",
        "upstream",
        "worker_config",
    },
}
STANDARD = {"domain": {"collections", "dataclasses", "datetime", "typing"}}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_opens_with_its_promise_and_fits_a_screen(path: Path) -> None:
    text = path.read_text()
    if path.name == "__init__.py":
        assert text == ""
        return
    promise = ast.get_docstring(ast.parse(text))
    assert promise
    assert promise.splitlines()[0].endswith((".", ":"))
    assert len(text.splitlines()) <= 150


@pytest.mark.parametrize("room", ALLOWED)
def test_rooms_import_one_way(room: str) -> None:
    for path in (PACKAGE / room).glob("*.py"):
        for name in imports(path):
            if name.startswith("billing."):
                inner = name.removeprefix("billing.")
                assert any(f"{inner}.".startswith(f"{allowed}.") for allowed in ALLOWED[room]), (path, name)
            elif room in STANDARD:
                assert name.partition(".")[0] in STANDARD[room], (path, name)


def test_the_service_knows_nothing_of_the_kit() -> None:
    for path in MODULES:
        assert not {name.partition(".")[0] for name in imports(path)} & {
            "compose",
            "graders",
            "labs",
            "octo_lab",
        }


def test_types_hold_in_strict_mode(base_env: dict[str, str]) -> None:
    """mypy.ini of the service, with the libraries that its requirements name."""
    python = Path(base_env["PATH"].partition(":")[0]) / "python"
    cache = SERVICE.parent / ".mypy_cache" / "reference_service"
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--python-executable", str(python), "--cache-dir", str(cache)],
        cwd=SERVICE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
