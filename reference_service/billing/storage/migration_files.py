"""The schema's history is a folder of numbered SQL files, and a file that was applied is never edited."""

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from billing.storage.sql_statements import Statement, split

FILE_NAME = re.compile(r"(?P<version>[0-9]{4})_[a-z0-9_]+\.sql")
DIRECTIVE = re.compile(r"^[ \t]*--[ \t]*migrate:[ \t]*(?P<word>.*?)[ \t]*$", re.MULTILINE)
NO_TRANSACTION = "no-transaction"


class BadMigrationFile(Exception):
    """A file in the folder can't be understood; the text names it."""


@dataclass(frozen=True)
class Migration:
    """One file. `name` is its file name, `checksum` the SHA-256 of its text with plain line ends."""

    version: int
    name: str
    checksum: str
    statements: tuple[Statement, ...]
    in_transaction: bool


def read_folder(folder: Path) -> list[Migration]:
    """The migrations of the folder by version. Raises BadMigrationFile."""
    migrations: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        migration = _read(path)
        if migration.version in migrations:
            raise BadMigrationFile(
                f"{migrations[migration.version].name} and {path.name} have the same number."
            )
        migrations[migration.version] = migration
    if not migrations:
        raise BadMigrationFile(f"There is no migration in {folder}.")
    return list(migrations.values())


def _read(path: Path) -> Migration:
    named = FILE_NAME.fullmatch(path.name)
    if not named:
        raise BadMigrationFile(f"{path.name}: name it like 0005_what_it_does.sql, in small letters.")
    text = _text(path)
    words = DIRECTIVE.findall(text)
    for word in words:
        if word != NO_TRANSACTION:
            raise BadMigrationFile(
                f"{path.name}: '-- migrate: {word}' is unknown; there is only {NO_TRANSACTION}."
            )
    return Migration(
        version=int(named["version"]),
        name=path.name,
        checksum=sha256(text.encode()).hexdigest(),
        statements=tuple(split(text)),
        in_transaction=not words,
    )


def _text(path: Path) -> str:
    """The text with plain line ends and no byte order mark: a checkout on Windows is the same file."""
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise BadMigrationFile(f"{path.name} is not written in UTF-8.") from None
