"""The first place where two lists part, told so that the reason shows."""

from datetime import UTC, date, datetime

from graders.lesson_05.differences import first_difference
from graders.lesson_05.shapes import Invoice


def invoice(id: int, minute: int = 0, status: str = "sent") -> Invoice:
    created = datetime(2026, 6, 30, 2, minute, tzinfo=UTC)
    return Invoice(str(id), "7", f"INV-{id}", status, "EUR", 100, 0, date(2026, 7, 30), created)


LIST = [invoice(9, 3), invoice(8, 2), invoice(7, 2), invoice(6, 1)]


def told(got: list[Invoice]) -> str:
    return str(first_difference(LIST, got, "newest"))


def test_the_same_lists_do_not_differ() -> None:
    assert first_difference(LIST, list(LIST), "newest") is None


def test_ties_are_named() -> None:
    text = told([LIST[0], LIST[2], LIST[1], LIST[3]])
    assert text.startswith("row 2\n")
    assert "expected id 8, created_at 2026-06-30 02:02:00" in text
    assert text.endswith("Both have the same created_at.")


def test_a_row_that_comes_again_is_named() -> None:
    assert "That one was already in row 2." in told([*LIST[:2], LIST[1], LIST[2]])


def test_a_field_is_named() -> None:
    assert told([LIST[0], invoice(8, 2, "paid")]) == "row 2, invoice 8: status paid instead of sent"


def test_a_list_that_ends_early_or_late() -> None:
    assert "the end of the list, after 3 of 4 rows" in told(LIST[:3])
    late = told([*LIST, invoice(1)])
    assert late.startswith("row 5\n")
    assert "expected the end of the list" in late
