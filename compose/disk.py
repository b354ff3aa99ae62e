"""Room on the disk: asked for before it is needed, and explained when it is gone."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from compose.stores import StoresFailed

REMEDY = (
    "Free some space, run `octo_lab doctor --clean`, or set OCTO_LAB_CACHE to a directory on a larger disk."
)

MIB = 1024 * 1024


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
    except (OSError, psycopg.errors.DiskFull) as error:
        if isinstance(error, OSError) and error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StoresFailed(f"The disk is full: {path}.", REMEDY, str(error)) from error
