"""Plans as auto_explain logs them, shortened to what the reading of them rests on."""

from typing import Any

from graders.probes.plans import Plan, grouped


def scan(kind: str, rows: float, *, loops: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "Node Type": kind,
        "Relation Name": "invoices",
        "Actual Rows": rows,
        "Actual Loops": loops,
        **more,
    }


def plan(root: dict[str, Any], **more: Any) -> Plan:
    return Plan.of("billing_app", {"Query Text": "SELECT 1", "Plan": root, **more})


def limit(rows: int, below: dict[str, Any]) -> dict[str, Any]:
    return {"Node Type": "Limit", "Actual Rows": rows, "Actual Loops": 1, "Plans": [below]}


def test_what_was_thrown_away_was_read_too() -> None:
    one = plan(scan("Seq Scan", 2, Filter="(upper(number) = 'A')", **{"Rows Removed by Filter": 999_998}))
    assert one.rows_read() == 1_000_000
    assert one.telling_lines() == [
        "Seq Scan on invoices: 1 000 000 rows read, 999 998 thrown away; Filter (upper(number) = 'A')"
    ]


def test_rows_are_given_per_loop_and_counted_in_all() -> None:
    assert plan(scan("Index Scan", 1.5, loops=40, **{"Rows Removed by Filter": 0.25})).rows_read() == 70


def test_a_scan_that_never_ran_read_nothing() -> None:
    assert plan(scan("Seq Scan", 0, loops=0)).rows_read() == 0


def test_a_bitmap_scan_counts_its_entries_or_its_rows_whichever_are_more() -> None:
    entries = [
        {"Node Type": "Bitmap Index Scan", "Index Name": name, "Actual Rows": rows, "Actual Loops": 1}
        for name, rows in (("by_customer", 50_000), ("by_status", 30_000))
    ]
    both = {"Node Type": "BitmapAnd", "Actual Rows": 0, "Actual Loops": 1, "Plans": entries}
    one = plan(limit(20, scan("Bitmap Heap Scan", 1_500, Plans=[both])))
    assert one.rows_read() == 80_000
    assert one.indexes() == {"by_customer", "by_status"}
    assert "through by_customer and by_status: 80 000 rows read" in one.telling_lines()[0]


def test_a_sort_of_many_for_few_is_told() -> None:
    sort = {
        "Node Type": "Sort",
        "Sort Key": ["created_at DESC"],
        "Actual Rows": 21,
        "Actual Loops": 1,
        "Plans": [scan("Index Scan", 50_000) | {"Index Name": "by_customer"}],
    }
    told = plan(limit(21, sort)).telling_lines()
    assert told[1] == "Sort by created_at DESC: 50 000 rows for 21"


def test_a_statement_without_tables_is_told_by_its_first_step() -> None:
    assert plan({"Node Type": "Result", "Actual Rows": 1, "Actual Loops": 1}).telling_lines() == ["Result"]


def test_settings_come_along() -> None:
    assert plan(scan("Seq Scan", 1), Settings={"enable_seqscan": "off"}).settings == {"enable_seqscan": "off"}


def test_numbers_are_grouped() -> None:
    assert [grouped(n) for n in (7, 1_000, 1_234_567)] == ["7", "1 000", "1 234 567"]
