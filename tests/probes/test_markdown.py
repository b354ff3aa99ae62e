"""Tables as people write them."""

from graders.probes.markdown import plain, tables

PLAIN = """
Some words | with a pipe.

| Index | Size on disk |
|:------|-----:|
| `a_b` | **38 MB** |
| c     |
| `x | y` | 1 \\| 2 |

After it.

Index | Serves
--- | ---
a | newest
```
| not | this |
|---|---|
```
"""


def test_tables_are_found_with_or_without_outer_pipes() -> None:
    first, second = tables(PLAIN)
    assert first.header == ("Index", "Size on disk")
    assert [plain(row["index"]) for row in first.rows] == ["a_b", "c", "x | y"]
    assert [plain(row["size on disk"]) for row in first.rows] == ["38 MB", "", "1 | 2"]
    assert second.rows == ({"index": "a", "serves": "newest"},)


def test_what_is_no_table_is_none() -> None:
    assert tables("a | b\nno rule under it") == ()
    assert tables("") == ()


def test_cells_lose_their_dress() -> None:
    assert plain("[`invoices_newest`](#newest)") == "invoices_newest"
    assert plain("_about_ **30 000**") == "about 30 000"
