"""The system calls that a submission does without: memory that no limit sees, and doors into the kernel.

They answer ENOSYS, as an older kernel would, so that libraries take the way they know. Format: seccomp(2), bpf filters.
"""

import platform
import struct

ENOSYS, EAFNOSUPPORT = 38, 97
LOAD, JUMP_EQUAL, JUMP_ABOVE, RETURN = 0x20, 0x15, 0x35, 0x06
NUMBER_AT, ARCHITECTURE_AT, FIRST_ARGUMENT_AT = 0, 4, 16  # struct seccomp_data; low half, on a little end
ALLOW, REFUSE, NO_FAMILY = 0x7FFF_0000, 0x0005_0000 | ENOSYS, 0x0005_0000 | EAFNOSUPPORT
X32 = 0x4000_0000

ARCHITECTURES = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}

# Numbers on x86_64 and on aarch64 (asm/unistd.h).
REFUSED = {
    # memory without a file or a mapping that could be counted
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    # other processes' memory
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    # leaving the processors that this grade was given, so that grades beside it keep theirs
    "sched_setaffinity": (203, 122),
    # large pieces of the kernel that no backend needs, and that most escapes came through
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "fanotify_init": (300, 262),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
}

SOCKET = (41, 198)
# AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. Not AF_VSOCK: it ends at the machine below ours, whatever network we are in.
FAMILIES = (1, 2, 10, 16)


def program(machine: str = platform.machine()) -> bytes | None:
    """The filter for this machine, as bubblewrap reads it; None where the numbers are not known."""
    if machine not in ARCHITECTURES:
        return None
    column = [*ARCHITECTURES].index(machine)
    tests = [(JUMP_EQUAL, numbers[column]) for numbers in REFUSED.values()]
    if machine == "x86_64":
        tests.insert(0, (JUMP_ABOVE, X32))
    families = _families(SOCKET[column])
    refuse = len(tests) + len(families)
    code = [
        _step(LOAD, ARCHITECTURE_AT),
        _step(JUMP_EQUAL, ARCHITECTURES[machine], otherwise=refuse + 2),
        _step(LOAD, NUMBER_AT),
        *(_step(kind, value, then=refuse - place) for place, (kind, value) in enumerate(tests)),
        *families,
        _step(RETURN, ALLOW),
        _step(RETURN, REFUSE),
    ]
    return b"".join(code)


def _families(socket: int) -> list[bytes]:
    """Steps that let through all calls but a `socket` of another family, to the step behind them."""
    most = len(FAMILIES)
    return [
        _step(JUMP_EQUAL, socket, otherwise=most + 2),
        _step(LOAD, FIRST_ARGUMENT_AT),
        *(_step(JUMP_EQUAL, family, then=most - place) for place, family in enumerate(FAMILIES)),
        _step(RETURN, NO_FAMILY),
    ]


def _step(code: int, value: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)
