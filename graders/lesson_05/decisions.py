"""decisions/indexes.md, read leniently and compared strictly: each row against the catalog and the plans seen."""

import re
from collections.abc import Sequence

from graders.check import Failure
from graders.lesson_05.usage import READS, Usage
from graders.probes.indexes import Index
from graders.probes.markdown import Table, plain, tables
from graders.probes.plans import grouped

PATH = "decisions/indexes.md"
COLUMNS = ("index", "serves", "size", "entries", "a write pays")
KB, MB = 1024, 1024 * 1024
UNITS = {"b": 1, "k": KB, "m": MB, "g": 1024 * MB}
FACTORS = {"k": 1_000, "m": 1_000_000, "": 1}
SMALL_SIZE = MB
SMALL_COUNT = 1_000

Row = dict[str, str]


def table_of(text: str | None, did: str) -> tuple[Row, ...]:
    """The rows of the table with the promised columns. Raises Failure where there is none."""
    found = [table for table in tables(text or "") if all(_cell_name(table, column) for column in COLUMNS)]
    if not found:
        headers = "; ".join(" | ".join(table.header) for table in tables(text or ""))
        raise Failure(
            expected=f"{PATH} has a table with the columns Index | Serves | Size | Entries | A write pays.",
            got="there is no such file"
            if text is None
            else f"tables with the columns {headers or '(no table)'}",
            because="An index whose reason nobody wrote down is an index that nobody dares to drop.",
            did=did,
        )
    rows = ((table, row) for table in found for row in table.rows)
    return tuple({column: row[_cell_name(table, column)] for column in COLUMNS} for table, row in rows)


def disagreements(rows: Sequence[Row], indexes: Sequence[Index], usage: Usage) -> list[str]:
    """What the document says and the database does not, or the other way round, one line each."""
    there = {index.name: index for index in indexes}
    named = {name for row in rows if (name := index_name(row))}
    faults = [
        f"{index.name} {index.brief} exists and has no row"
        for index in indexes
        if index.valid and not index.constraint and index.name not in named
    ]
    for row in rows:
        name = index_name(row)
        if name and name not in there:
            faults.append(f"{name} has a row and does not exist")
        elif name and not there[name].constraint:
            faults += [f"{name}: {fault}" for fault in _row_faults(row, there[name], usage)]
    return faults


def index_name(row: Row) -> str:
    """The index that a row is about, without schema and quotes."""
    return plain(row["index"]).replace('"', "").rpartition(".")[2].strip()


def _row_faults(row: Row, index: Index, usage: Usage) -> list[str]:
    faults = _serves_faults(row["serves"], index, usage)
    size = bytes_in(row["size"])
    if size is None or not _near(size, index.size, SMALL_SIZE):
        faults.append(f"Size says {row['size'] or 'nothing'}; it has {index.size / MB:.1f} MB")
    entries = count_in(row["entries"])
    if entries is None or not _near(entries, index.entries, SMALL_COUNT):
        faults.append(f"Entries says {row['entries'] or 'nothing'}; it has {grouped(index.entries)}")
    if len(re.findall(r"\w+", row["a write pays"])) < 2:
        faults.append("A write pays says nothing")
    return faults


def _serves_faults(cell: str, index: Index, usage: Usage) -> list[str]:
    claimed = [read for read in READS if re.search(rf"\b{read}\b", plain(cell).lower())]
    if not claimed:
        return [f"Serves says {cell or 'nothing'}; it must name one or more of {', '.join(READS)}"]
    seen = [read for read in usage.serving(index.name) if read in READS]
    return [
        f"Serves says {read}; no plan of that read went through it, "
        + (f"but those of {', '.join(seen)} did" if seen else "nor any other read's")
        for read in claimed
        if read not in seen
    ]


def bytes_in(text: str) -> int | None:
    """The size in a cell: 38 MB, 0.9 MiB, 760 kB; a bare number is megabytes."""
    found = re.search(r"([\d.,]+)\s*([kmg]?)i?(b|bytes?)?\b", plain(text).lower())
    if not found or (number := _decimal(found[1])) is None:
        return None
    unit = found[2] or ("b" if (found[3] or "").startswith("byte") else "m")
    return round(number * UNITS[unit])


def count_in(text: str) -> int | None:
    """The count in a cell: 1 000 000, 1,000,000, 30k, 1.2 million."""
    joined = re.sub(r"(?<=\d)[\s_,.'\u2019\u00a0\u202f](?=\d{3}(\D|$))", "", plain(text).lower())
    found = re.search(r"([\d.,]+)\s*(k|m)?", joined)
    if not found or (number := _decimal(found[1])) is None:
        return None
    return round(number * FACTORS[found[2] or ""])


def _decimal(text: str) -> float | None:
    try:
        return float(text.strip(".,").replace(",", "."))
    except ValueError:
        return None


def _near(said: int, real: int, slack: int) -> bool:
    """Within a factor of two; for small numbers, not further off than `slack`."""
    return (real <= 2 * said and said <= 2 * real) or abs(said - real) <= slack


def _cell_name(table: Table, column: str) -> str:
    """The table's own name for a promised column: `Size on disk` is the size."""
    names = [plain(cell).lower() for cell in table.header]
    return next((name for name in names if name.startswith(column) or column in name), "")
