"""What broke in the stores themselves while a service used them: then the verdict is `ungraded`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from compose import valkey
from compose.disk import REMEDY as FULL_DISK
from compose.last_words import NEVER_UP
from compose.stores import Stores, StoresFailed

# SQLSTATEs (Postgres manual, appendix A) that say something of the machine and nothing of the service.
REMEDIES = {
    "53100": FULL_DISK,
    "58030": "The disk gave an error: look at the system's log, or set OCTO_LAB_CACHE to another disk.",
    "XX001": "The cached data are damaged: run `octo_lab doctor --clean`, then the same command again.",
    "XX002": "The cached data are damaged: run `octo_lab doctor --clean`, then the same command again.",
}

# A quote inside a message is written \\" in the log, so no text of a service can pass for one of these.
TELLING = re.compile(rb'"state_code":"(?:%s)"|"error_severity":"PANIC"' % "|".join(REMEDIES).encode())
# A RAISE of a service's may have any SQLSTATE: the log says that it was one, in a field that no text can forge.
RAISED = b'"file_name":"pl_exec.c"'
KILLED = re.compile(rb'"message":"[a-z ]+ \(PID \d+\) was terminated by signal')


def trouble(stores: Stores) -> StoresFailed | None:
    """The first thing that went wrong in the stores through no fault of the service, or None.

    Asked while the stores are still up. A full disk, damaged data, a server killed by the system.
    """
    if stores.postgres:
        for entry in _telling(stores.postgres.log):
            remedy = REMEDIES.get(entry.get("state_code", ""), NEVER_UP)
            return StoresFailed(f"Postgres had trouble of its own: {entry['message']}.", remedy)
    if stores.queue and not valkey.wrote_its_log(stores.queue.port, stores.queue.grader):
        return StoresFailed("The disk is full: the queue could not write.", FULL_DISK)
    return None


def _telling(log: Path) -> Iterator[dict[str, Any]]:
    with log.open("rb") as lines:
        for line in lines:
            if RAISED in line:
                continue
            if TELLING.search(line) or (KILLED.search(line) and b'"backend_type":"postmaster"' in line):
                yield json.loads(line.decode(errors="replace"))
