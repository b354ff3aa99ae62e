"""The four reads that lesson-05 is about: how a client asks for them, and what their answers must look like."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from graders.check import Failure
from graders.probes.api import Answer, Api

BECAUSE_CONTRACT = (
    "Clients were written against this contract; an answer that leaves it breaks them all at once."
)

Field = Callable[[Any], Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Customer:
    """A customer as the dataset has it: how many invoices, and how many of them are open (status sent)."""

    id: int
    tenant: int
    invoices: int
    open: int


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


class Reads:
    """Asks one running service for the four reads."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def newest(self, customer: Customer, limit: int = 20, cursor: str | None = None) -> Page:
        """A page of the customer's invoices, newest first."""
        return self._page(f"/v1/customers/{customer.id}/invoices", customer.tenant, {"limit": limit}, cursor)

    def overdue(self, tenant: int, as_of: date | None, limit: int = 20, cursor: str | None = None) -> Page:
        """A page of the tenant's overdue list."""
        day = {"as_of": as_of.isoformat()} if as_of else {}
        return self._page("/v1/invoices/overdue", tenant, day | {"limit": limit}, cursor)

    def by_number(self, tenant: int, number: str) -> Invoice | None:
        """The invoice of that number in whatever case, or None where the service has none (404)."""
        answer = self.api.get(f"/v1/invoices/by-number/{quote(number, safe='')}", tenant=tenant)
        if answer.status == 404:
            return None
        return invoice(answer, answer.expect(200, because=BECAUSE_CONTRACT).json())

    def balance(self, customer: Customer) -> Balance:
        path = f"/v1/customers/{customer.id}/balance"
        answer = self.api.get(path, tenant=customer.tenant).expect(200, because=BECAUSE_CONTRACT)
        return fields(answer, answer.json(), Balance, BALANCE)

    def _page(self, path: str, tenant: int, params: dict[str, Any], cursor: str | None) -> Page:
        asked = params | ({"cursor": cursor} if cursor is not None else {})
        answer = self.api.get(path, tenant=tenant, params=asked).expect(200, because=BECAUSE_CONTRACT)
        return page(answer, cursor)


def walk(page_after: Callable[[str | None], Page], most: int) -> Iterator[Page]:
    """Page after page, as a client follows next_cursor; at most `most` of them."""
    cursor: str | None = None
    for _ in range(most):
        page = page_after(cursor)
        yield page
        cursor = page.next_cursor
        if cursor is None:
            return


def page(answer: Answer, cursor: str | None = None) -> Page:
    """The answer as a page. Raises Failure where it has not the promised shape."""
    body = answer.json()
    items, next_cursor = (
        (body.get("items"), body.get("next_cursor")) if isinstance(body, dict) else (None, None)
    )
    if not isinstance(items, list) or not isinstance(next_cursor, str | None) or "next_cursor" not in body:
        raise Failure(
            expected='a page: {"items": [...], "next_cursor": "..."}, with next_cursor null on the last page',
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
            expected=f"an object with {', '.join(promised)}, each of its promised type",
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
