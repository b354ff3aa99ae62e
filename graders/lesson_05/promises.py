"""What CONTRACT.md promises about the lesson's endpoints: fields, statuses, one shape for refusals, tenants kept apart."""

import random

from graders.check import expect
from graders.lesson_05 import writes
from graders.lesson_05.population import Population
from graders.lesson_05.reads import Customer, Reads
from graders.lesson_05.shapes import BECAUSE_CONTRACT, page
from graders.probes.api import Answer, Api


def expect_contract(api: Api, people: Population, draw: random.Random) -> None:
    """Hold the endpoints to their contract, the ordinary cases first."""
    customer = people.ordinary(draw)
    _pages(api, customer)
    _life(api, customer, draw)
    _refusals(api, customer)
    _tenants_apart(api, customer, next(tenant for tenant in people.tenants if tenant != customer.tenant))


def _pages(api: Api, customer: Customer) -> None:
    answer = api.get(f"/v1/customers/{customer.id}/invoices", tenant=customer.tenant)
    first = page(answer.expect(200, because=BECAUSE_CONTRACT))
    expect(
        len(first.items) == 20 and first.next_cursor is not None,
        expected=f"20 invoices and a next_cursor: the default limit is 20, and the customer has {customer.invoices}.",
        got=f"{len(first.items)} invoices, next_cursor {first.next_cursor!r}",
        because=BECAUSE_CONTRACT,
        did=answer.did,
    )
    expect(
        all(invoice.customer_id == str(customer.id) for invoice in first.items),
        expected=f"Invoices of customer {customer.id} only.",
        got=answer.summary(),
        because=BECAUSE_CONTRACT,
        did=answer.did,
    )


def _life(api: Api, customer: Customer, draw: random.Random) -> None:
    number = f"C-{draw.randrange(10**9)}"
    draft = writes.draft(api, customer, cents=5_000, number=number)
    sent = writes.send(api, customer.tenant, draft.id, "2026-07-31")
    expect(
        (draft.status, draft.due_on, draft.total_cents, draft.number, sent.status, str(sent.due_on))
        == ("draft", None, 5_000, number, "sent", "2026-07-31"),
        expected=f"A draft {number} of 5000 cents without a due date, then sent and due on 2026-07-31.",
        got=f"{draft.status} {draft.number} of {draft.total_cents} cents, due {draft.due_on}; "
        f"then {sent.status}, due {sent.due_on}",
        because=BECAUSE_CONTRACT,
    )
    answer = api.get(f"/v1/invoices/by-number/{number}", tenant=customer.tenant).expect(
        200, because=BECAUSE_CONTRACT
    )
    lines = answer.json().get("lines") if isinstance(answer.json(), dict) else None
    expect(
        lines == [{"description": "Services as agreed", "quantity": 1, "unit_price_cents": 5_000}],
        expected="A single invoice comes with its lines: description, quantity, unit_price_cents.",
        got=answer.summary(),
        because=BECAUSE_CONTRACT,
        did=answer.did,
    )
    writes.pay(api, customer.tenant, draft.id, 5_000)
    _refused(api.post(f"/v1/invoices/{draft.id}/void", tenant=customer.tenant), 409, "voiding what is paid")


def _refusals(api: Api, customer: Customer) -> None:
    newest = f"/v1/customers/{customer.id}/invoices"
    _refused(api.get(newest), 400, "a request without X-Tenant-ID")
    for limit in ("0", "101", "many"):
        asked = api.get(newest, tenant=customer.tenant, params={"limit": limit})
        _refused(asked, 422, f"limit={limit}; it is 1 to 100")
    asked = api.get(newest, tenant=customer.tenant, params={"cursor": "not-one-of-yours"})
    _refused(asked, 422, "a cursor that the service never gave out")
    asked = api.get("/v1/invoices/overdue", tenant=customer.tenant, params={"as_of": "soon"})
    _refused(asked, 422, "as_of=soon; it is a date")
    asked = api.get("/v1/invoices/by-number/NOBODY-HAS-THIS", tenant=customer.tenant)
    _refused(asked, 404, "a number that nobody has")


def _tenants_apart(api: Api, customer: Customer, stranger: int) -> None:
    number = Reads(api).newest_one(customer).number
    for path in (
        f"/v1/customers/{customer.id}/invoices",
        f"/v1/customers/{customer.id}/balance",
        f"/v1/invoices/by-number/{number}",
    ):
        _refused(api.get(path, tenant=stranger), 404, "what belongs to another tenant")


def _refused(answer: Answer, status: int, what: str) -> None:
    """A refusal of that status in the one shape that all refusals have (RFC 9457)."""
    media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    expect(
        answer.status == status,
        expected=f"Status {status} for {what}.",
        got=answer.summary(),
        because=BECAUSE_CONTRACT,
        did=answer.did,
    )
    body = answer.json()
    expect(
        media_type == "application/problem+json" and isinstance(body, dict) and body.get("status") == status,
        expected=f"A problem document (application/problem+json) that says status {status} in its body too.",
        got=f"Content-Type {media_type or 'missing'}; {answer.summary()}",
        because=BECAUSE_CONTRACT,
        did=answer.did,
    )
