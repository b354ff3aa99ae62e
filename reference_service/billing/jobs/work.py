"""What each kind of job does. First the world outside, then one transaction with what came of it and the job's end."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from billing.domain.errors import Refused
from billing.domain.invoices import Invoice, pay
from billing.domain.jobs import Kind
from billing.storage import customers, invoices, payments, reports
from billing.storage.changes import Touches
from billing.storage.job_leases import Finding, LeasedJob
from billing.storage.pool import Connection, Pool
from billing.upstream.calls import Upstream

# What is left to do inside: it runs in the transaction that ends the job, so that it counts once or not at all.
Finish = Callable[[Connection, Touches], Awaitable[Finding]]


@dataclass(frozen=True)
class Tools:
    """What jobs work with."""

    pool: Pool
    mail: Upstream
    payments: Upstream


Work = Callable[[Tools, LeasedJob], Awaitable[Finish]]


async def mail(tools: Tools, job: LeasedJob) -> Finish:
    """The customer gets the invoice, or is reminded of it."""
    invoice = await _invoice(tools.pool, job)
    async with tools.pool.connection() as connection:
        customer = await customers.get(connection, job.tenant_id, invoice.customer_id)
    await tools.mail.post("/messages", _message(invoice, customer.email, job.request), job.key)
    return _nothing_more


async def charge(tools: Tools, job: LeasedJob) -> Finish:
    """The provider takes the money; then it is booked as a payment."""
    invoice = await _invoice(tools.pool, job)
    cents = int(job.request["amount_cents"])
    _paid(invoice, cents, "Not asked for in this try")
    body = {"amount_cents": cents, "currency": invoice.currency, "reference": invoice.number}
    await tools.payments.post("/charges", body, job.key)

    async def book(connection: Connection, touches: Touches) -> Finding:
        locked = await invoices.lock(connection, job.tenant_id, invoice.id)
        await touches(locked.customer_id)
        paid = _paid(locked, cents, f"The provider has taken {cents} cents that can't be booked")
        await invoices.save(connection, paid)
        payment = await payments.add(connection, locked.id, cents)
        return Finding(payment_id=payment.id)

    return book


def _paid(invoice: Invoice, cents: int, what: str) -> Invoice:
    """The invoice after the payment. Raises Refused, which says for people what is the matter with the money."""
    try:
        return pay(invoice, cents)
    except Refused as refusal:
        raise Refused(refusal.reason, f"{what}: {refusal}") from None


async def report(tools: Tools, job: LeasedJob) -> Finish:
    """The totals of some days."""
    first, until = (date.fromisoformat(job.request[name]) for name in ("from", "until"))

    async def keep(connection: Connection, touches: Touches) -> Finding:
        return Finding(report=await reports.totals(connection, job.tenant_id, first, until))

    return keep


WORK: Mapping[Kind, Work] = {"mail": mail, "charge": charge, "report": report}


async def _nothing_more(connection: Connection, touches: Touches) -> Finding:
    return Finding()


async def _invoice(pool: Pool, job: LeasedJob) -> Invoice:
    assert job.invoice_id is not None  # jobs of these kinds are about one
    async with pool.connection() as connection:
        return await invoices.get(connection, job.tenant_id, job.invoice_id)


def _message(invoice: Invoice, to: str, request: Mapping[str, Any]) -> dict[str, str]:
    outstanding = f"{invoice.total_cents - invoice.paid_cents} cents {invoice.currency}"
    what = "Reminder: invoice" if request.get("reminder") else "Invoice"
    text = f"{outstanding} are due on {invoice.due_on} for invoice {invoice.number}."
    return {"to": to, "subject": f"{what} {invoice.number}", "text": text}
