"""decisions/indexes.md as learners write it, held against an invented catalog and invented plans."""

from typing import Any

import pytest

from graders.check import Failure
from graders.lesson_05.decisions import bytes_in, count_in, disagreements, table_of
from graders.lesson_05.usage import Usage
from graders.probes.indexes import Index
from graders.probes.plans import Plan

MB = 1024 * 1024


def index(name: str, size: int, entries: int, *, constraint: bool = False, valid: bool = True) -> Index:
    return Index(
        name,
        "invoices",
        "btree",
        constraint,
        valid,
        constraint,
        None,
        size,
        entries,
        ("customer_id",),
        (0,),
        ("customer_id",),
        f"CREATE INDEX {name} ON public.invoices USING btree (customer_id)",
    )


def through(*names: str) -> tuple[Plan, ...]:
    nodes: list[dict[str, Any]] = [{"Node Type": "Index Scan", "Index Name": name} for name in names]
    return tuple(Plan("billing_app", "", node) for node in nodes)


THERE = (
    index("newest_index", 39 * MB, 1_000_000),
    index("open_index", 600 * 1024, 30_000),
    index("invoices_pkey", 21 * MB, 1_000_000, constraint=True),
)
USAGE = Usage(
    {
        "newest": through("newest_index"),
        "overdue": through("open_index"),
        "number": (),
        "balance": through("open_index"),
        "writes": through("invoices_pkey"),
    }
)
GOOD = """
# Indexes

| Index | Serves | Size on disk | Entries | A write pays |
|:-----|:---:|--:|--:|---|
| `public.newest_index` | **newest** | ≈ 40 MB | 1 000 000 | an entry for every invoice |
| [open_index](#open) | `overdue`, balance | 0.6 MB | ~30k | one when it is sent |
| invoices_pkey | everything else | 21 MB | 1M | always |

Not taken: an index on `status`.
"""


def faults(text: str) -> list[str]:
    return disagreements(table_of(text, "cat it"), THERE, USAGE)


def test_what_agrees_has_no_fault() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        (
            "| `public.newest_index` | **newest** | ≈ 40 MB | 1 000 000 | an entry for every invoice |\n",
            "",
            "exists and has no row",
        ),
        ("`public.newest_index`", "old_index", "old_index has a row and does not exist"),
        (
            "**newest**",
            "number",
            "Serves says number; no plan of that read went through it, but those of newest did",
        ),
        ("**newest**", "the dashboard", "it must name one or more of newest, overdue, number, balance"),
        ("**newest**", "", "Serves says nothing"),
        ("≈ 40 MB", "8 kB", "Size says 8 kB; it has 39.0 MB"),
        ("≈ 40 MB", "large", "Size says large"),
        ("1 000 000 | an", "1 000 | an", "Entries says 1 000; it has 1 000 000"),
        ("an entry for every invoice", "-", "A write pays says nothing"),
    ],
)
def test_what_does_not_agree_is_named(was: str, becomes: str, fault: str) -> None:
    assert was in GOOD
    assert any(fault in line for line in faults(GOOD.replace(was, becomes)))


def test_an_invalid_index_is_not_asked_for() -> None:
    there = (*THERE, index("half_built", MB, 0, valid=False))
    assert disagreements(table_of(GOOD, "cat it"), there, USAGE) == []


@pytest.mark.parametrize("text", [None, "", "# Indexes", "| Index | Size |\n|---|---|\n| a | 1 MB |"])
def test_without_the_promised_table_it_says_which(text: str | None) -> None:
    with pytest.raises(Failure) as failed:
        table_of(text, "cat it")
    assert "Index | Serves | Size | Entries | A write pays" in failed.value.expected


@pytest.mark.parametrize(
    ("text", "size"),
    [("38 MB", 38 * MB), ("0.5 MiB", MB // 2), ("1,2 MB", round(1.2 * MB)), ("760 kB", 760 * 1024), ("12", 12 * MB),
     ("about **3 MB**", 3 * MB), ("1 GB", 1024 * MB), ("big", None), ("", None)],
)  # fmt: skip
def test_sizes(text: str, size: int | None) -> None:
    assert bytes_in(text) == size


@pytest.mark.parametrize(
    ("text", "count"),
    [("1 000 000", 1_000_000), ("1,000,000", 1_000_000), ("1.000.000", 1_000_000), ("1_000_000", 1_000_000),
     ("1\u202f000\u00a0000", 1_000_000), ("1M", 1_000_000), ("1.2 million", 1_200_000), ("~30k", 30_000),
     ("30 000 (sent ones)", 30_000), ("0", 0), ("many", None)],
)  # fmt: skip
def test_counts(text: str, count: int | None) -> None:
    assert count_in(text) == count
