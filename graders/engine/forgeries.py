"""The forgery corpus: its index read, and each trick made into a submission of one lab. Nothing here runs it."""

import re
import runpy
import shlex
import shutil
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, cast, get_args

from graders.engine.processes import read_procfile
from graders.engine.submission import Submission, from_fix, from_folder
from labs.catalog import Lab, ManifestError

CORPUS = Path(__file__).parents[2] / "tests" / "forgeries"

Base = Literal["broken", "reference"]
Expected = Literal["zero", "at-most", "honest"]
Ending = Literal["fail", "ungraded", "refused"]
CHOICES = {"base": get_args(Base), "expected": get_args(Expected)}


@dataclass(frozen=True)
class Forgery:
    """One trick and the outcome that it must get; every field is explained in tests/forgeries/README.md."""

    name: str
    tries: str
    source: str
    base: Base
    expected: Expected
    endings: tuple[Ending, ...]
    says: str = ""
    never: str = ""
    needs: str = ""
    stores: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    procfile: Mapping[str, str] = field(default_factory=dict)
    builder: str = ""
    budgets: Mapping[str, float] = field(default_factory=dict)


def corpus(root: Path = CORPUS) -> tuple[Forgery, ...]:
    """Every forgery of every index (`*.toml`) in `root`. Raises ManifestError."""
    found: list[Forgery] = []
    for index in sorted(root.glob("*.toml")):
        try:
            entries = tomllib.loads(index.read_text(encoding="utf-8"))["forgery"]
            found += [_forgery(entry, root) for entry in entries]
        except (OSError, ValueError, KeyError, TypeError, re.error) as error:
            raise ManifestError(f"{index}: {error}") from error
    names = [forgery.name for forgery in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ManifestError(f"{root}: {', '.join(twice)} stands twice")
    return tuple(found)


def _forgery(entry: Mapping[str, Any], root: Path) -> Forgery:
    """Raises ValueError or TypeError for an entry that cannot be meant."""
    name = entry.get("name", "")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ValueError(f"{name!r} is no name: small letters, digits, hyphens")
    if unknown := sorted({*entry} - {each.name for each in fields(Forgery)}):
        raise ValueError(f"{name}: what is {', '.join(unknown)}?")
    for what, choices in CHOICES.items():
        if entry.get(what) not in choices:
            raise ValueError(f"{name}: {what} is one of {', '.join(choices)}")
    if not entry.get("endings") or not {*entry["endings"]} <= {*get_args(Ending)}:
        raise ValueError(f"{name}: endings are some of {', '.join(get_args(Ending))}, never a pass")
    for program in entry.get("programs", ()):
        if not (root / "programs" / program).is_file():
            raise ValueError(f"{name}: there is no programs/{program}")
    for pattern in (entry.get("says", ""), entry.get("never", "")):
        re.compile(pattern)
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return Forgery(**cast(dict[str, Any], values))


def forge(forgery: Forgery, lab: Lab, folder: Path, token: str, root: Path = CORPUS) -> Submission:
    """Make the forgery's submission for `lab` in the new `folder`. `token` marks its processes."""
    if forgery.base == "broken":
        shutil.copytree(lab.service, folder)
    else:
        folder.mkdir(parents=True)
    for program in forgery.programs:
        shutil.copy(root / "programs" / program, folder)
    overlay = root / "files" / forgery.name
    if overlay.is_dir():
        shutil.copytree(overlay, folder, dirs_exist_ok=True)
    if forgery.procfile:
        _write_procfile(forgery, lab, folder, token)
    if forgery.builder:
        _builder(forgery.builder, root)(folder)
    return from_folder(folder) if forgery.base == "broken" else from_fix(folder)


def _write_procfile(forgery: Forgery, lab: Lab, folder: Path, token: str) -> None:
    """The base's own Procfile with some commands replaced. `{web}` in a command is the base's, as one shell word."""
    own = read_procfile(folder if (folder / "Procfile").is_file() else lab.reference)
    words = {f"{{{name}}}": shlex.quote(command) for name, command in own.items()} | {"{token}": token}
    commands = own | {name: _filled(command, words) for name, command in forgery.procfile.items()}
    text = "".join(f"{name}: {command}\n" for name, command in commands.items())
    (folder / "Procfile").write_text(text, encoding="utf-8")


def _filled(command: str, words: Mapping[str, str]) -> str:
    return re.sub("|".join(map(re.escape, words)), lambda found: words[found[0]], command)


def _builder(name: str, root: Path) -> Callable[[Path], None]:
    """A function of builders.py: it puts into a folder what git cannot hold."""
    built: Callable[[Path], None] = runpy.run_path(str(root / "builders.py"))[name]
    return built
