"""The four reads that lesson-05 is about, and how a client asks for them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from graders.check import fail
from graders.lesson_05.shapes import BALANCE, BECAUSE_CONTRACT, Balance, Invoice, Page, fields, invoice, page
from graders.probes.api import Api
from graders.probes.plans import grouped


@dataclass(frozen=True)
class Customer:
    """A customer as the dataset has it: how many invoices, and how many of them are open (status sent)."""

    id: int
    tenant: int
    invoices: int
    open: int


class Reads:
    """Asks one running service for the four reads."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def newest(self, customer: Customer, limit: int = 20, cursor: str | None = None) -> Page:
        """A page of the customer's invoices, newest first."""
        return self._page(f"/v1/customers/{customer.id}/invoices", customer.tenant, {"limit": limit}, cursor)

    def newest_one(self, customer: Customer) -> Invoice:
        """The customer's newest invoice; he has some."""
        page = self.newest(customer, limit=1)
        if not page.items:
            fail(
                expected=f"The newest of the customer's {grouped(customer.invoices)} invoices.",
                got="a list without items",
                because="A list that is empty says that the customer was never billed.",
                did=page.did,
            )
        return page.items[0]

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
