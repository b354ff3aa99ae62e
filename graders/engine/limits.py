"""How much a submission may use. CONTRACT.md promises these numbers; `warden` holds what the kernel does not."""

from collections.abc import Sequence
from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes. `data` bounds each process, the others the submission as a whole."""

    memory: int = 1024 * MIB
    data: int = 4096 * MIB
    processes: int = 512
    open_files: int = 2048
    file: int = 256 * MIB
    quarters: int = 256 * MIB
    quarters_files: int = 20_000
    output: int = 64 * MIB
    stores: int = 3072 * MIB
    stores_memory: int = 1536 * MIB
    installed: int = 2048 * MIB


LIMITS = Limits()

# Set by a shell inside the box, where the processes counted are the box's own. POSIX has no letter for their number:
# it is -p in dash and busybox, -u in bash.
_SCRIPT = 'ulimit -c 0 && ulimit -n {files} && ulimit -f {blocks} && ulimit -d {data}{processes} && {{ echo 1000 >/proc/self/oom_score_adj || :; }} 2>/dev/null && exec "$@"'
_PROCESSES = " && {{ ulimit -u {0} 2>/dev/null || ulimit -p {0}; }}"


def limited(command: Sequence[str], *, count_processes: bool) -> list[str]:
    """The command within the limits that the kernel keeps (setrlimit(2)).

    count_processes: the user runs nothing else, so that what is counted is the submission's.
    """
    script = _SCRIPT.format(
        files=LIMITS.open_files,
        blocks=LIMITS.file // 512,
        data=LIMITS.data // 1024,
        processes=_PROCESSES.format(LIMITS.processes) if count_processes else "",
    )
    return ["/bin/sh", "-c", script, "sh", *command]
