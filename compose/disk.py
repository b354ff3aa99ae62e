"""Room on the disk: asked for before it is needed, and explained when it is gone."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compose.stores import StoresFailed

REMEDY = (
    "Free some space, run `octo_lab doctor --clean`, or set OCTO_LAB_CACHE to a directory on a larger disk."
)

MIB = 1024 * 1024

DISK_FULL = "53100"


def require_space(path: Path, needed: int, purpose: str) -> None:
    """Raise StoresFailed with both numbers when fewer than `needed` bytes are free where `path` is."""
    free = shutil.disk_usage(path).free
    if free < needed:
        raise StoresFailed(
            f"The disk is too full to {purpose}: {needed // MIB} MiB are needed, "
            f"{free // MIB} MiB are free in {path}.",
            REMEDY,
        )


@contextmanager
def full_disk_explained(path: Path) -> Iterator[None]:
    """Turn a full disk, met by Python or by Postgres, into StoresFailed. Other errors pass through."""
    try:
        yield
    except Exception as error:
        if not _is_full_disk(error):
            raise
        raise StoresFailed(f"The disk is full: {path}.", REMEDY, str(error)) from error


def _is_full_disk(error: Exception) -> bool:
    """Postgres says it as an SQLSTATE; asked by name, so that who needs no Postgres need not import psycopg."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or getattr(error, "sqlstate", None) == DISK_FULL
