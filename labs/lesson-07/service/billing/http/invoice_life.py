"""Each step in an invoice's life is one transaction: lock the invoice, take the step, save, commit. Then tell the customer."""

import os

import httpx
from fastapi import APIRouter, Depends, Response

from billing.domain.invoices import pay, send, void
from billing.http import answers
from billing.http.bodies import NewPayment, Sending
from billing.http.creation import Created, Once
from billing.http.negotiation import json_sent, json_wanted
from billing.http.parameters import Database, Id, Summaries, known_query
from billing.http.problems import documented
from billing.http.tenancy import Tenant
from billing.storage import customers, invoices, payments
from billing.storage.changes import changing
from billing.storage.pool import Connection

router = APIRouter(
    prefix="/v1/invoices/{invoice_id}",
    dependencies=[Depends(json_wanted), Depends(known_query)],
    responses=documented(400, 404, 406, 422, 500, 503),
)


@router.post(
    "/send", tags=["invoices"], dependencies=[Depends(json_sent)], responses=documented(409, 413, 415)
)
async def send_invoice(
    invoice_id: Id, body: Sending, tenant: Tenant, pool: Database, cache: Summaries
) -> answers.InvoiceWithLines:
    """A draft becomes sent, and is owed from now on."""
    async with changing(cache) as touches, pool.connection() as connection, connection.transaction():
        invoice = send(await invoices.lock(connection, tenant, invoice_id), body.due_on)
        await touches(invoice.customer_id)
        await invoices.save(connection, invoice)
        lines = await invoices.lines_of(connection, invoice.id)
        customer = await customers.get(connection, tenant, invoice.customer_id)
    if mail_url := os.environ.get("MAIL_URL"):
        # The mail server is quick, it is in the next rack. If it fails the user sees it at once and can try again.
        message = {
            "to": customer.email,
            "subject": f"Invoice {invoice.number}",
            "text": f"{invoice.total_cents} cents {invoice.currency} are due on {invoice.due_on}.",
        }
        async with httpx.AsyncClient(timeout=60) as client:
            (await client.post(f"{mail_url}/messages", json=message)).raise_for_status()
    return answers.invoice_with_lines(invoice, lines)


@router.post("/void", tags=["invoices"], responses=documented(409))
async def void_invoice(
    invoice_id: Id, tenant: Tenant, pool: Database, cache: Summaries
) -> answers.InvoiceWithLines:
    """A draft or a sent invoice for which nothing was paid is withdrawn."""
    async with changing(cache) as touches, pool.connection() as connection, connection.transaction():
        invoice = void(await invoices.lock(connection, tenant, invoice_id))
        await touches(invoice.customer_id)
        await invoices.save(connection, invoice)
        lines = await invoices.lines_of(connection, invoice.id)
    return answers.invoice_with_lines(invoice, lines)


@router.post(
    "/payments",
    status_code=201,
    response_model=answers.Payment,
    tags=["payments"],
    dependencies=[Depends(json_sent)],
    responses=documented(409, 413, 415),
)
async def pay_invoice(
    invoice_id: Id, body: NewPayment, tenant: Tenant, creation: Once, cache: Summaries
) -> Response:
    """Money has come in for a sent invoice. Paid in full, the invoice becomes paid."""

    async def create(connection: Connection) -> Created:
        invoice = pay(await invoices.lock(connection, tenant, invoice_id), body.amount_cents)
        await touches(invoice.customer_id)
        await invoices.save(connection, invoice)
        payment = await payments.add(connection, invoice.id, body.amount_cents)
        answer = answers.Payment.model_validate(payment)
        return Created(answer, f"/v1/invoices/{invoice.id}/payments/{payment.id}")

    async with changing(cache) as touches:
        return await creation.once(create)


@router.get("/payments/{payment_id}", tags=["payments"])
async def get_payment(invoice_id: Id, payment_id: Id, tenant: Tenant, pool: Database) -> answers.Payment:
    async with pool.connection() as connection:
        payment = await payments.get(connection, tenant, invoice_id, payment_id)
    return answers.Payment.model_validate(payment)
