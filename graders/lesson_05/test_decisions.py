"""The written decision is worth what it agrees with: the database."""

from collections.abc import Callable

from graders.check import check, expect
from graders.lesson_05.decisions import PATH, disagreements, table_of
from graders.lesson_05.usage import Usage
from graders.probes.indexes import indexes_of
from graders.probes.postgres import Postgres


@check("decisions-agree", needs=["data-kept"])
def test_decisions(document: Callable[[str], str | None], postgres: Postgres, usage: Usage) -> None:
    """decisions/indexes.md names every index on invoices, the read it serves and what it costs, and nothing else."""
    did = f"cat work/lesson-05/{PATH}"
    rows = table_of(document(PATH), did)
    faults = disagreements(rows, indexes_of(postgres, "invoices"), usage)
    expect(
        not faults,
        expected="One row for each index on invoices that belongs to no constraint, and no other row: "
        "the read it serves, its size, its entries, what a write pays.",
        got="\n".join(faults),
        because="Whoever wants to drop an index next year reads this first. What it says must be so.",
        did=did,
    )
