"""When the service's database shuts others out: who did it, as a Failure. Only its owner and its sessions can."""

from collections.abc import Sequence

from graders.check import Failure

BECAUSE = (
    "Others read from this database and write to it by day: imports, bookings, and whoever looks after it."
)


def locked(holders: Sequence[tuple[str, str, str]], error: str) -> Failure:
    """A lock was not to be had. holders: lock mode, table and last statement of the service's sessions."""
    told = [
        f"{mode} on {table}, held by a session whose last statement was\n    {query}"
        for mode, table, query in holders
    ]
    return Failure(
        expected="Another program gets its rows while the service runs, within seconds.",
        got="\n".join([error.partition("\n")[0], *told]),
        because=BECAUSE,
    )


def shut_out(error: str) -> Failure:
    """Postgres is well, and this database lets another program's session in no more."""
    return Failure(
        expected="Another program can log in to the service's database.",
        got=error.strip(),
        because=BECAUSE,
    )
