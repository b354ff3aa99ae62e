"""Reads every lab.toml into frozen Lab objects: order, tracks, prerequisites. Knows nothing of grading."""

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal

from jsonschema import Draft202012Validator

# Another kit (a school's own lessons, a test) has the same folders: labs, graders, reference_service.
KIT = Path(os.environ.get("OCTO_LAB_KIT") or Path(__file__).parents[1]).resolve()
SCHEMA = Path(__file__).with_name("lab.schema.json")


# Who says for whom a request is made (CONTRACT.md, Identity).
Identity = Literal["gateway", "tokens"]


class ManifestError(Exception):
    """A lab.toml that cannot be used; the text lists every fault with its place."""


class UnknownLesson(Exception):
    """No lesson of that name; `suggestions` holds the nearest ones."""

    def __init__(self, asked: str, suggestions: tuple[str, ...]) -> None:
        super().__init__(asked)
        self.asked = asked
        self.suggestions = suggestions


@dataclass(frozen=True)
class Criterion:
    """One acceptance criterion, in words."""

    id: str
    text: str


@dataclass(frozen=True)
class CheckSpec:
    """What lab.toml says of a check; its title is the docstring of the test function."""

    id: str
    points: int
    criterion: str
    hints: tuple[str, str, str]
    read: tuple[str, ...]


@dataclass(frozen=True)
class DatasetSpec:
    """The rows that are there before the submission's release runs: sizes by database name."""

    schema: str
    sql: str
    databases: dict[str, dict[str, int]]


@dataclass(frozen=True)
class Budgets:
    """Seconds each phase may take before it is stopped."""

    install: float = 300
    release: float = 120
    boot: float = 30
    check: float = 60
    whole: float = 300


@dataclass(frozen=True)
class Lab:
    """One lesson as its manifest describes it."""

    id: str
    title: str
    summary: str
    track: str
    version: int
    draft: bool
    minutes: int
    covers: tuple[str, ...]
    stores: frozenset[str]
    broken_fails: frozenset[str]
    criteria: tuple[Criterion, ...]
    checks: tuple[CheckSpec, ...]
    kit: Path
    prerequisites: tuple[str, ...] = ()
    identity: Identity = "gateway"
    environment: Mapping[str, str] = field(default_factory=dict)
    dataset: DatasetSpec | None = None
    budgets: Budgets = field(default_factory=Budgets)

    @property
    def folder(self) -> Path:
        """labs/lesson-NN: manifest, lesson text and the broken files."""
        return self.kit / "labs" / self.id

    @property
    def service(self) -> Path:
        """The broken files, each at the path it has in the reference service."""
        return self.folder / "service"

    @property
    def grader(self) -> Path:
        """graders/lesson_NN: the checks, the dataset and the fixes."""
        return self.kit / "graders" / self.id.replace("-", "_")

    @property
    def reference(self) -> Path:
        return self.kit / "reference_service"

    @property
    def work(self) -> Path:
        """The learner's own copy of the broken files."""
        return self.kit / "work" / self.id

    def check(self, id: str) -> CheckSpec | None:
        return next((spec for spec in self.checks if spec.id == id), None)

    def criterion_text(self, id: str) -> str:
        return next((c.text for c in self.criteria if c.id == id), id)


def load(manifest: Path) -> Lab:
    """Read one lab.toml. Raises ManifestError with every fault."""
    try:
        data = tomllib.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(f"{manifest}: {error}") from error
    faults = [*_schema_faults(data)] or [*_sense_faults(data, manifest)]
    if faults:
        raise ManifestError("\n".join(f"{manifest}: {fault}" for fault in faults))
    return _lab(data, manifest.resolve().parents[2])


def all_labs(kit: Path = KIT) -> tuple[Lab, ...]:
    """Every lesson of the kit, in the order of its number. Raises ManifestError."""
    return tuple(load(path) for path in sorted((kit / "labs").glob("lesson-[0-9][0-9]/lab.toml")))


def find(asked: str, kit: Path = KIT) -> Lab:
    """The lesson meant by `lesson-05`, `lesson-5`, `05` or `5`. Raises UnknownLesson or ManifestError."""
    folders = sorted(path.parent.name for path in (kit / "labs").glob("lesson-[0-9][0-9]/lab.toml"))
    wanted = canonical(asked)
    if wanted not in folders:
        near = get_close_matches(wanted, folders, n=3, cutoff=0.5)
        raise UnknownLesson(asked, tuple(near))
    return load(kit / "labs" / wanted / "lab.toml")


def canonical(asked: str) -> str:
    """`5`, `05`, `lesson-5`, `Lesson_05` -> `lesson-05`; anything else as it came."""
    match = re.fullmatch(r"(?:lesson[-_ ]?)?0*(\d{1,2})", asked.strip().lower())
    return f"lesson-{int(match[1]):02d}" if match else asked.strip().lower()


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def _schema_faults(data: dict[str, Any]) -> Iterator[str]:
    for error in sorted(_validator().iter_errors(data), key=lambda e: list(map(str, e.absolute_path))):
        place = ".".join(str(part) for part in error.absolute_path) or "top level"
        yield f"{place}: {error.message}"


def _sense_faults(data: dict[str, Any], manifest: Path) -> Iterator[str]:
    ids = [check["id"] for check in data["checks"]]
    criteria = [criterion["id"] for criterion in data["criteria"]]
    if data["id"] != manifest.parent.name:
        yield f"id: is {data['id']!r}, but the folder is {manifest.parent.name!r}"
    for kind, names in (("checks", ids), ("criteria", criteria)):
        yield from (f"{kind}: {name!r} stands twice" for name in sorted(set(names)) if names.count(name) > 1)
    for check in data["checks"]:
        if check["criterion"] not in criteria:
            yield f"checks.{check['id']}.criterion: no criterion {check['criterion']!r}"
    proved = {check["criterion"] for check in data["checks"]}
    yield from (f"criteria.{name}: no check proves it" for name in criteria if name not in proved)
    yield from (f"broken.fails: no check {name!r}" for name in data["broken"]["fails"] if name not in ids)


def _lab(data: dict[str, Any], kit: Path) -> Lab:
    dataset = data.get("dataset")
    return Lab(
        id=data["id"],
        title=data["title"],
        summary=data["summary"],
        track=data["track"],
        version=data["version"],
        draft=data.get("draft", False),
        minutes=data["minutes"],
        covers=tuple(data["covers"]),
        stores=frozenset(data["stores"]),
        broken_fails=frozenset(data["broken"]["fails"]),
        criteria=tuple(Criterion(**criterion) for criterion in data["criteria"]),
        checks=tuple(_check(check) for check in data["checks"]),
        kit=kit,
        prerequisites=tuple(data.get("prerequisites", ())),
        identity=data.get("identity", "gateway"),
        environment=data.get("environment", {}),
        dataset=DatasetSpec(**dataset) if dataset else None,
        budgets=Budgets(**data.get("budgets", {})),
    )


def _check(data: dict[str, Any]) -> CheckSpec:
    first, second, third = data["hints"]
    return CheckSpec(
        id=data["id"],
        points=data["points"],
        criterion=data["criterion"],
        hints=(first, second, third),
        read=tuple(data["read"]),
    )
