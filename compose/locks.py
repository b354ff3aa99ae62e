"""File locks that the kernel gives back when their holder dies. What they guard stands with the callers."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from compose.stores import StoresFailed

if sys.platform != "win32":
    import fcntl


class Held(Exception):
    """Another process holds the lock, and the caller did not want to wait."""


def nothing() -> None:
    """What to do when a lock has to be waited for: nothing."""


@contextmanager
def locked(
    path: Path, *, shared: bool = False, wait: bool = True, waiting: Callable[[], None] = nothing
) -> Iterator[None]:
    """Hold the lock file `path`, alone or with other sharers. `waiting` is called before a wait begins.

    Raises Held when `wait` is False and another holds it; StoresFailed when the file system has no locks.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    with path.open("a") as file:
        path.chmod(0o600)
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise Held(str(path)) from None
            waiting()
            fcntl.flock(file, kind)
        except OSError as error:
            raise StoresFailed(
                f"The file system of {path.parent} has no file locks ({error.strerror}).",
                "Set OCTO_LAB_CACHE to a directory on a local disk.",
            ) from error
        yield
