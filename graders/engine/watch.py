"""Notices that a learner saved a file."""

from collections.abc import Iterator
from pathlib import Path

from watchfiles import PythonFilter, watch

from graders.engine.submission import NOT_SOURCE


class Sources(PythonFilter):
    """Every file but what tools leave behind: a submission may be in any language."""

    def __init__(self) -> None:
        super().__init__(extra_extensions=())
        self.ignore_dirs = tuple(NOT_SOURCE)

    def __call__(self, change: object, path: str) -> bool:
        del change
        parts = Path(path).parts
        return not NOT_SOURCE.intersection(parts) and not path.endswith(("~", ".swp", ".tmp"))


def saves(folder: Path, *, poll: bool) -> Iterator[None]:
    """Once at the start, then once after each burst of saves; those made during a grade are not lost."""
    changes = watch(
        folder,
        watch_filter=Sources(),
        force_polling=poll or None,
        debounce=400,
        rust_timeout=200,
        yield_on_timeout=True,
    )
    next(changes)  # the watching begins here, before the first grade
    yield
    for change in changes:
        if change:
            yield
