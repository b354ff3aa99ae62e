"""The learner's copy of a lesson: made, found, and put back with a backup."""

import shutil
import time
from pathlib import Path

from labs.catalog import Lab


def ensure(lab: Lab) -> bool:
    """Make work/lesson-NN from the lesson's broken files unless it is there. True when it was made now."""
    if lab.work.exists():
        return False
    half = lab.work.with_name(f".{lab.id}.{time.time_ns()}")
    shutil.copytree(lab.service, half)
    half.rename(lab.work)
    return True


def reset(lab: Lab) -> Path | None:
    """Put the broken files back; what was there is kept beside them and returned."""
    kept = None
    if lab.work.exists():
        kept = _backup(lab)
        lab.work.rename(kept)
    ensure(lab)
    return kept


def _backup(lab: Lab) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    name = f"{lab.id}.backup-{stamp}"
    taken = len(list(lab.work.parent.glob(f"{name}*")))
    return lab.work.with_name(f"{name}-{taken + 1}" if taken else name)
