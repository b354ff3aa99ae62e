"""The learner's copy of a lesson: made, found, and put back with a backup."""

import os
import shutil
import time
from pathlib import Path

from labs.catalog import Lab


def ensure(lab: Lab) -> bool:
    """Make work/lesson-NN from the lesson's broken files unless it is there. True when it was made now."""
    if os.path.lexists(lab.work):
        return False
    half = lab.work.with_name(f".{lab.id}.{time.time_ns()}")
    try:
        shutil.copytree(lab.service, half)
        half.rename(lab.work)
    except shutil.Error as error:  # a list of all that went wrong
        raise OSError(error.args[0][0][2]) from error
    except OSError:
        if lab.work.exists():  # made by another command at the same moment
            return False
        raise
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return True


def reset(lab: Lab) -> Path | None:
    """Put the broken files back; what was there is kept beside them and returned."""
    kept = None
    if os.path.lexists(lab.work):
        kept = _backup(lab)
        lab.work.rename(kept)
    ensure(lab)
    return kept


def _backup(lab: Lab) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    name = f"{lab.id}.backup-{stamp}"
    taken = len(list(lab.work.parent.glob(f"{name}*")))
    return lab.work.with_name(f"{name}-{taken + 1}" if taken else name)
