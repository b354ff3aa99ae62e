"""The indexes of a table as the catalog has them, and which of them say the same. Never judges a name."""

from dataclasses import dataclass
from typing import Any

from graders.probes.postgres import Postgres

# One row for each index. A key column's sort option is 0 for ASC NULLS LAST and 3 for its mirror, DESC NULLS FIRST;
# where a column can't be null, where nulls go makes no difference.
CATALOG = """
    SELECT c.relname,
           t.relname,
           am.amname,
           i.indisunique,
           i.indisvalid AND i.indisready,
           EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid AND contype IN ('p', 'u', 'x')),
           pg_get_expr(i.indpred, i.indrelid),
           pg_relation_size(i.indexrelid),
           c.reltuples::bigint,
           ARRAY(SELECT pg_get_indexdef(i.indexrelid, n, false) || ' ' || i.indclass[n - 1] || ' ' || i.indcollation[n - 1]
                 FROM generate_series(1, i.indnkeyatts) AS n ORDER BY n),
           ARRAY(SELECT CASE WHEN a.attnotnull THEN (i.indoption[n - 1] & 1) * 3 ELSE i.indoption[n - 1]::integer END
                 FROM generate_series(1, i.indnkeyatts) AS n
                 LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n - 1] AND a.attnum > 0
                 ORDER BY n),
           ARRAY(SELECT a.attname::text
                 FROM generate_series(1, i.indnatts) AS n
                 JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n - 1] AND a.attnum > 0
                 ORDER BY n),
           pg_get_indexdef(i.indexrelid)
    FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_am AS am ON am.oid = c.relam
    JOIN pg_class AS t ON t.oid = i.indrelid
    JOIN pg_namespace AS s ON s.oid = t.relnamespace
    WHERE s.nspname !~ '^pg_' AND s.nspname <> 'information_schema'
    ORDER BY t.relname, c.relname
"""


@dataclass(frozen=True)
class Index:
    """One index. `keys` are its key columns or expressions with operator class and collation; `directions` are their
    sort options; `columns` are the plain columns it holds, the included ones too; `size` is in bytes.
    """

    name: str
    table: str
    method: str
    unique: bool
    valid: bool
    constraint: bool
    predicate: str | None
    size: int
    entries: int
    keys: tuple[str, ...]
    directions: tuple[int, ...]
    columns: tuple[str, ...]
    definition: str

    @property
    def brief(self) -> str:
        """Its columns and predicate as CREATE INDEX has them: `(customer_id, created_at DESC) WHERE ...`."""
        return self.definition[self.definition.index("(") :]


def all_indexes(postgres: Postgres) -> tuple[Index, ...]:
    """Every index of the service's own tables."""
    return tuple(_index(row) for row in postgres.catalog(CATALOG))


def _index(row: tuple[Any, ...]) -> Index:
    (
        name,
        table,
        method,
        unique,
        valid,
        constraint,
        predicate,
        size,
        entries,
        keys,
        directions,
        columns,
        definition,
    ) = row
    return Index(
        name,
        table,
        method,
        unique,
        valid,
        constraint,
        predicate,
        size,
        entries,
        tuple(keys),
        tuple(directions),
        tuple(columns),
        definition,
    )


def indexes_of(postgres: Postgres, table: str) -> tuple[Index, ...]:
    return tuple(index for index in all_indexes(postgres) if index.table == table)


def repeats(index: Index, other: Index) -> bool:
    """True where `other` does all that `index` does: dropping `index` would cost no read and no guarantee."""
    if index == other or index.constraint or (index.table, index.method) != (other.table, other.method):
        return False
    if not other.valid or not _leads(index, other) or not set(index.columns) <= set(other.columns):
        return False
    if index.predicate != other.predicate:
        return False
    if index.unique and not (other.unique and len(other.keys) == len(index.keys)):
        return False
    return not _same(index, other) or _keeps(other, index)


def guards(index: Index, others: tuple[Index, ...]) -> bool:
    """True where a unique index forbids rows that no narrower unique index of the table forbids already."""
    narrower = (other for other in others if other != index and other.unique and other.predicate is None)
    return index.unique and not any(set(other.keys) <= set(index.keys) for other in narrower)


def _leads(index: Index, other: Index) -> bool:
    """The keys of `index` are the first keys of `other`, read forwards or backwards."""
    length = len(index.keys)
    if index.keys != other.keys[:length]:
        return False
    there = other.directions[:length]
    mirrored = tuple(direction ^ 3 for direction in there)
    return index.directions in (there, mirrored)


def _same(index: Index, other: Index) -> bool:
    return (
        index.keys == other.keys and set(index.columns) == set(other.columns) and index.unique == other.unique
    )


def _keeps(other: Index, index: Index) -> bool:
    """Of two that say exactly the same, the constraint's stays, or the one whose name comes first."""
    return other.constraint or other.name < index.name
