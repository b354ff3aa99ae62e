"""Two lists of invoices side by side, and the first place where they part, told so that the reason shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

from graders.lesson_05.shapes import Invoice

ORDERS = {"newest": "created_at", "overdue": "due_on"}


@dataclass(frozen=True)
class Difference:
    """The first row that differs, counted from 1, and what is wrong with it."""

    row: int
    text: str

    def __str__(self) -> str:
        return f"row {self.row}{self.text}"


def first_difference(expected: Sequence[Invoice], got: Sequence[Invoice], order: str) -> Difference | None:
    """The first row that differs, or None where both lists are the same. `order` is a key of ORDERS."""
    for at, (right, given) in enumerate(zip(expected, got, strict=False)):
        if right != given:
            return Difference(at + 1, _row(right, given, got[:at], ORDERS[order]))
    if len(got) < len(expected):
        end = f"the end of the list, after {len(got)} of {len(expected)} rows"
        return Difference(len(got) + 1, _beside(_told(expected[len(got)], ORDERS[order]), end))
    if len(got) > len(expected):
        extra, before = got[len(expected)], got[: len(expected)]
        text = _beside("the end of the list", _told(extra, ORDERS[order]))
        return Difference(len(expected) + 1, text + _again(extra, before))
    return None


def fields_that_differ(right: Invoice, given: Invoice) -> str:
    """The same invoice with other values: `status paid instead of sent`."""
    pairs = zip(Invoice._fields, given, right, strict=True)
    return ", ".join(
        f"{name} {value} instead of {wanted}" for name, value, wanted in pairs if value != wanted
    )


def _row(right: Invoice, given: Invoice, before: Sequence[Invoice], column: str) -> str:
    if right.id == given.id:
        return f", invoice {right.id}: {fields_that_differ(right, given)}"
    text = _beside(_told(right, column), _told(given, column))
    if again := _again(given, before):
        return text + again
    same = getattr(right, column) == getattr(given, column)
    return f"{text}\n  Both have the same {column}." if same else text


def _told(invoice: Invoice, column: str) -> str:
    """An invoice in half a line: what the order of its list rests on."""
    if column == "due_on":
        return f"id {invoice.id}, due_on {invoice.due_on}, {invoice.status}"
    created = invoice.created_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f").removesuffix(".000000")
    return f"id {invoice.id}, created_at {created}"


def _beside(right: str, given: str) -> str:
    return f"\n  expected {right}\n  got      {given}   <- first difference"


def _again(given: Invoice, before: Sequence[Invoice]) -> str:
    places = [at for at, invoice in enumerate(before, 1) if invoice.id == given.id]
    return f"\n  That one was already in row {places[0]}." if places else ""
