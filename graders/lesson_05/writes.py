"""An invoice's life through the API: drafted, sent, paid or void. What the service refuses becomes a Failure."""

from typing import Any

from graders.lesson_05.reads import Customer
from graders.lesson_05.shapes import Invoice, invoice
from graders.probes.api import Answer, Api

BECAUSE = "Every read rests on these writes: an invoice is drafted, sent and paid through them."


def ask_draft(api: Api, customer: Customer, cents: int = 12_345, number: str | None = None) -> Answer:
    """Ask for a new draft of one line, whatever the answer."""
    lines = [{"description": "Services as agreed", "quantity": 1, "unit_price_cents": cents}]
    body: dict[str, Any] = {"lines": lines} | ({"number": number} if number else {})
    return api.post(f"/v1/customers/{customer.id}/invoices", tenant=customer.tenant, json=body)


def draft(api: Api, customer: Customer, cents: int = 12_345, number: str | None = None) -> Invoice:
    """A new draft of one line."""
    return _invoice(ask_draft(api, customer, cents, number), 201)


def send(api: Api, tenant: int, id: str, due_on: str) -> Invoice:
    return _invoice(api.post(f"/v1/invoices/{id}/send", tenant=tenant, json={"due_on": due_on}), 200)


def void(api: Api, tenant: int, id: str) -> Invoice:
    return _invoice(api.post(f"/v1/invoices/{id}/void", tenant=tenant), 200)


def pay(api: Api, tenant: int, id: str, cents: int) -> None:
    api.post(f"/v1/invoices/{id}/payments", tenant=tenant, json={"amount_cents": cents}).expect(
        201, because=BECAUSE
    )


def live(api: Api, customer: Customer) -> None:
    """One invoice that is paid in two parts, and one that is withdrawn."""
    paid = draft(api, customer, cents=10_000)
    send(api, customer.tenant, paid.id, "2026-07-31")
    pay(api, customer.tenant, paid.id, 4_000)
    pay(api, customer.tenant, paid.id, 6_000)
    void(api, customer.tenant, draft(api, customer).id)


def _invoice(answer: Answer, status: int) -> Invoice:
    return invoice(answer, answer.expect(status, because=BECAUSE).json())
