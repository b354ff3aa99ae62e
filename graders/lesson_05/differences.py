"""Two lists of invoices side by side, and the first place where they part, told so that the reason shows."""

from collections.abc import Sequence
from datetime import UTC

from graders.lesson_05.reads import Invoice

ORDERS = {"newest": "created_at", "overdue": "due_on"}


def first_difference(expected: Sequence[Invoice], got: Sequence[Invoice], order: str) -> str | None:
    """The first row that differs, in words, or None where both lists are the same. `order` is a key of ORDERS."""
    for at, (right, given) in enumerate(zip(expected, got, strict=False)):
        if right != given:
            return _row(at, right, given, got[:at], ORDERS[order])
    if len(got) < len(expected):
        return (
            f"row {len(got) + 1}\n  expected {_told(expected[len(got)])}\n"
            f"  got      nothing: the list ended after {len(got)} of {len(expected)} rows"
        )
    if len(got) > len(expected):
        return (
            f"row {len(expected) + 1}\n  expected the end of the list\n  got      {_told(got[len(expected)])}"
            + _again(got[len(expected)], got[: len(expected)])
        )
    return None


def _row(at: int, right: Invoice, given: Invoice, before: Sequence[Invoice], column: str) -> str:
    if right.id == given.id:
        fields = (f"{name} {value!s} instead of {right._asdict()[name]!s}" for name, value in given._asdict().items()
                  if value != right._asdict()[name])
        return f"row {at + 1}, invoice {right.id}: {', '.join(fields)}"
    text = f"row {at + 1}\n  expected {_told(right)}\n  got      {_told(given)}   <- first difference"
    repeated = _again(given, before)
    if not repeated and getattr(right, column) == getattr(given, column):
        return f"{text}\n  Both have the same {column}."
    return text + repeated


def _again(given: Invoice, before: Sequence[Invoice]) -> str:
    places = [at + 1 for at, invoice in enumerate(before) if invoice.id == given.id]
    return f"\n  It was already there in row {places[0]}." if places else ""


def _told(invoice: Invoice) -> str:
    created = invoice.created_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f").removesuffix(".000000")
    return f"id {invoice.id}, created {created}, due {invoice.due_on or '-'}, {invoice.status}"
