"""Each step in an invoice's life is one transaction: lock the invoice, take the step, save, commit."""

from typing import Any

from fastapi import APIRouter, Depends

from billing.domain.invoices import pay, send, void
from billing.http import answers
from billing.http.bodies import NewPayment, Sending
from billing.http.creation import Once
from billing.http.negotiation import json_sent
from billing.http.parameters import Database, Id
from billing.http.tenancy import Tenant
from billing.storage import invoices, payments
from billing.storage.pool import Connection

router = APIRouter(prefix="/v1/invoices/{invoice_id}")


@router.post("/send", tags=["invoices"], dependencies=[Depends(json_sent)])
async def send_invoice(
    invoice_id: Id, body: Sending, tenant: Tenant, pool: Database
) -> answers.InvoiceWithLines:
    """A draft becomes sent, and is owed from now on."""
    async with pool.connection() as connection, connection.transaction():
        invoice = send(await invoices.lock(connection, tenant, invoice_id), body.due_on)
        await invoices.save(connection, invoice)
        lines = await invoices.lines_of(connection, invoice.id)
    return answers.invoice_with_lines(invoice, lines)


@router.post("/void", tags=["invoices"])
async def void_invoice(invoice_id: Id, tenant: Tenant, pool: Database) -> answers.InvoiceWithLines:
    """A draft or a sent invoice for which nothing was paid is withdrawn."""
    async with pool.connection() as connection, connection.transaction():
        invoice = void(await invoices.lock(connection, tenant, invoice_id))
        await invoices.save(connection, invoice)
        lines = await invoices.lines_of(connection, invoice.id)
    return answers.invoice_with_lines(invoice, lines)


@router.post("/payments", tags=["payments"], dependencies=[Depends(json_sent)])
async def pay_invoice(invoice_id: Id, body: NewPayment, tenant: Tenant, creation: Once) -> Any:
    """Money has come in for a sent invoice. Paid in full, the invoice becomes paid."""

    async def create(connection: Connection) -> dict[str, Any]:
        invoice = pay(await invoices.lock(connection, tenant, invoice_id), body.amount_cents)
        await invoices.save(connection, invoice)
        payment = await payments.add(connection, invoice.id, body.amount_cents)
        return {"ok": True, "payment": answers.Payment.model_validate(payment)}

    return await creation.once(create)


@router.get("/payments/{payment_id}", tags=["payments"])
async def get_payment(invoice_id: Id, payment_id: Id, tenant: Tenant, pool: Database) -> answers.Payment:
    async with pool.connection() as connection:
        payment = await payments.get(connection, tenant, invoice_id, payment_id)
    return answers.Payment.model_validate(payment)
