"""As whom the servers run: as we are, or, when we are root (Postgres refuses root), as the user `nobody`."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from compose.stores import StoresFailed

USER = "nobody"

ORDINARY_USER = "Run octo_lab as an ordinary user."


class ProcessUser(TypedDict, total=False):
    """Keyword arguments of `subprocess.Popen` that change the user of the new process."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Identity:
    """The user of the servers; both numbers are None when it is the user that we are already."""

    uid: int | None = None
    gid: int | None = None

    def process(self) -> ProcessUser:
        """Keyword arguments for `subprocess.Popen` and `run`."""
        if self.uid is None or self.gid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path | int) -> None:
        """Give a path, or an open file by its descriptor, to this user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def directory(self, path: Path) -> Path:
        """Make `path` as a directory that only this user (and root) can enter."""
        path.mkdir()
        path.chmod(0o700)
        self.own(path)
        return path

    def write(self, path: Path, text: str) -> None:
        """Write `text` to a file that only this user (and root) can read: it may hold a password."""
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(text)
        self.own(path)


def stores_identity() -> Identity:
    """The identity of the servers. Raises StoresFailed when we are root and there is no user `nobody`."""
    if os.geteuid() != 0:
        return Identity()
    import pwd  # not on Windows, where this module must still be importable

    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        raise StoresFailed(
            f"Postgres refuses to run as root, and there is no user `{USER}`.", ORDINARY_USER
        ) from None
    return Identity(entry.pw_uid, entry.pw_gid)


def can_enter(identity: Identity, directory: Path) -> bool:
    """Whether the servers can get at what lies in `directory`: tried, not guessed from modes."""
    try:
        tried = subprocess.run(
            ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(directory)],
            capture_output=True,
            cwd="/",
            timeout=30,
            **identity.process(),
        )
    except PermissionError as error:
        raise StoresFailed(
            f"The servers cannot be run as `{USER}`: {error.strerror}.", ORDINARY_USER
        ) from error
    return tried.returncode == 0
