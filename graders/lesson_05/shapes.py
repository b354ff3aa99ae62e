"""What the answers of the four reads look like: the promised fields, read strictly, as values to compare."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

from graders.check import Failure
from graders.probes.api import Answer

BECAUSE_CONTRACT = (
    "Clients were written against CONTRACT.md: an answer that leaves it breaks all of them at once."
)

Field = Callable[[Any], Any]
T = TypeVar("T")


class Invoice(NamedTuple):
    """One invoice of an answer or of the oracle: the nine promised fields, times as instants."""

    id: str
    customer_id: str
    number: str
    status: str
    currency: str
    total_cents: int
    paid_cents: int
    due_on: date | None
    created_at: datetime


@dataclass(frozen=True)
class Page:
    """One page of a list. `cursor` is what it was asked with, `did` the line that asks for it again."""

    items: tuple[Invoice, ...]
    cursor: str | None
    next_cursor: str | None
    did: str


class Balance(NamedTuple):
    customer_id: str
    currency: str
    open_invoices: int
    outstanding_cents: int


def page(answer: Answer, cursor: str | None = None) -> Page:
    """The answer as a page. Raises Failure where it has not the promised shape."""
    body = answer.json()
    items, next_cursor = (
        (body.get("items"), body.get("next_cursor")) if isinstance(body, dict) else (None, None)
    )
    if not isinstance(items, list) or not isinstance(next_cursor, str | None) or "next_cursor" not in body:
        raise Failure(
            expected='A page: {"items": [...], "next_cursor": "..."}, with next_cursor null on the last page.',
            got=answer.summary(),
            because=BECAUSE_CONTRACT,
            did=answer.did,
        )
    return Page(tuple(invoice(answer, item) for item in items), cursor, next_cursor, answer.did)


def invoice(answer: Answer, body: Any) -> Invoice:
    """One invoice object. Raises Failure for a promised field that is missing or of another type."""
    return fields(answer, body, Invoice, INVOICE)


def fields(answer: Answer, body: Any, kind: Callable[..., T], promised: dict[str, Field]) -> T:
    """The promised fields of an object, read strictly. More fields than promised are no fault."""
    name = ""
    try:
        values = {}
        for name, read in promised.items():
            values[name] = read(body[name])
    except (KeyError, TypeError, ValueError) as fault:
        got = f"{name} is missing" if isinstance(fault, KeyError) else f"{name}: {fault}"
        raise Failure(
            expected=f"An object with {', '.join(promised)}, each of its promised type.",
            got=f"{got}\n{answer.summary()}",
            because=BECAUSE_CONTRACT,
            did=answer.did,
        ) from None
    return kind(**values)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"should be a string, is {value!r}")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"should be a whole number, is {value!r}")
    return value


def _day(value: Any) -> date | None:
    return None if value is None else date.fromisoformat(_text(value))


def _instant(value: Any) -> datetime:
    instant = datetime.fromisoformat(_text(value))
    if instant.tzinfo is None:
        raise ValueError(f"should say its offset from UTC, as RFC 3339 has it, is {value!r}")
    return instant


INVOICE: dict[str, Field] = {
    "id": _text,
    "customer_id": _text,
    "number": _text,
    "status": _text,
    "currency": _text,
    "total_cents": _whole,
    "paid_cents": _whole,
    "due_on": _day,
    "created_at": _instant,
}

BALANCE: dict[str, Field] = {
    "customer_id": _text,
    "currency": _text,
    "open_invoices": _whole,
    "outstanding_cents": _whole,
}
