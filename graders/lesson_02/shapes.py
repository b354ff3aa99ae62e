"""What success looks like: the promised fields of each thing, read strictly. More fields than promised are no fault."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from graders.check import Failure
from graders.probes.api import Answer

BECAUSE = "Clients were written against CONTRACT.md: an answer that leaves it breaks all of them at once."
UTC_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|\+00:00)", re.ASCII)

Field = Callable[[Any], object]
Shape = Mapping[str, Field]


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"should be a string, is {value!r:.80}")
    return value


def whole(value: Any) -> int:
    """1.0 for 1 is let through: JSON does not tell them apart everywhere."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"should be a whole number, is {value!r:.80}")
    return value


def time(value: Any) -> datetime:
    if not UTC_TIME.fullmatch(text(value)):
        raise ValueError(f"should be a time of RFC 3339 in UTC, is {value!r:.80}")
    # Python reads six digits of a second; there may be more.
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value.upper()))


def day(value: Any) -> date:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text(value), re.ASCII):
        raise ValueError(f"should be a date, YYYY-MM-DD, is {value!r:.80}")
    return date.fromisoformat(value)


def optional(field: Field) -> Field:
    return lambda value: None if value is None else field(value)


def one(shape: Shape) -> Field:
    """An object with these fields; its value is a dict of what they read."""

    def read(value: Any) -> dict[str, object]:
        if not isinstance(value, dict):
            raise ValueError(f"should be an object, is {value!r:.80}")
        found = {}
        for name, field in shape.items():
            if name not in value:
                raise ValueError(f"{name} is missing")
            try:
                found[name] = field(value[name])
            except ValueError as fault:
                raise ValueError(f"{name}: {fault}") from None
        return found

    return read


def many(shape: Shape) -> Field:
    def read(value: Any) -> list[object]:
        if not isinstance(value, list):
            raise ValueError(f"should be a list, is {value!r:.80}")
        return [one(shape)(item) for item in value]

    return read


ADDRESS: Shape = {"street": text, "city": text, "postcode": optional(text), "country": text}
CUSTOMER: Shape = {
    "id": text,
    "name": text,
    "email": text,
    "address": optional(one(ADDRESS)),
    "created_at": time,
}
LINE: Shape = {"description": text, "quantity": whole, "unit_price_cents": whole}
INVOICE: Shape = {
    "id": text, "customer_id": text, "number": text, "status": text, "currency": text, "total_cents": whole,
    "paid_cents": whole, "due_on": optional(day), "created_at": time,
}  # fmt: skip
WITH_LINES: Shape = {**INVOICE, "lines": many(LINE)}
PAYMENT: Shape = {"id": text, "invoice_id": text, "amount_cents": whole, "received_at": time}
BALANCE: Shape = {"customer_id": text, "currency": text, "open_invoices": whole, "outstanding_cents": whole}


def page_of(shape: Shape) -> Shape:
    """The envelope of a list."""
    return {"items": many(shape), "next_cursor": optional(text)}


def media_type(answer: Answer) -> str:
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def read(answer: Answer, status: int, shape: Shape) -> dict[str, Any]:
    """The promised fields of a success. Raises Failure for another status, media type or shape."""
    answer.expect(status, because=BECAUSE)
    if media_type(answer) != "application/json":
        raise Failure(
            expected="Content-Type: application/json.",
            got=f"Content-Type: {answer.headers.get('Content-Type', 'none')}",
            because=BECAUSE,
            did=answer.did,
        )
    try:
        found = one(shape)(answer.json())
    except ValueError as fault:
        raise Failure(
            expected=f"An object with {', '.join(shape)}, each of its promised type.",
            got=f"{fault}\n{answer.summary()}",
            because=BECAUSE,
            did=answer.did,
        ) from None
    assert isinstance(found, dict), "one() reads objects"
    return found
