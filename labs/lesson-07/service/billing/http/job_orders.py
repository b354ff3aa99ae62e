"""Orders for work. Reminders are queued since last spring; charges and reports have always been quick enough."""

import os
from datetime import date
from typing import Annotated

import httpx
from fastapi import APIRouter, Depends, Response
from fastapi.exceptions import RequestValidationError
from psycopg.types.json import Jsonb
from pydantic import ConfigDict, Field

from billing.domain.errors import Refused
from billing.domain.invoices import pay
from billing.domain.jobs import Order
from billing.domain.money import MAX_TOTAL_CENTS
from billing.http.bodies import Body, example
from billing.http.creation import Create, Created, Once
from billing.http.jobs import Job, QueueLimit, path_of, said_of
from billing.http.negotiation import json_sent, json_wanted
from billing.http.parameters import Id, IsoDate, known_query
from billing.http.problems import documented
from billing.http.tenancy import Tenant
from billing.storage import invoices, jobs, payments, reports
from billing.storage.pool import Connection

router = APIRouter(
    prefix="/v1",
    tags=["jobs"],
    dependencies=[Depends(json_wanted), Depends(known_query)],
    responses=documented(400, 404, 406, 422, 500, 503),
)
JSON_IN = [Depends(json_sent)]


class NewCharge(Body):
    """At most what is outstanding, less what other charges are about to take."""

    model_config = ConfigDict(json_schema_extra=example({"amount_cents": 18250}))

    amount_cents: Annotated[int, Field(ge=1, le=MAX_TOTAL_CENTS)]


class NewReport(Body):
    """The invoices created on the days from `from` until before `until`, in UTC."""

    model_config = ConfigDict(json_schema_extra=example({"from": "2026-01-01", "until": "2026-02-01"}))

    first: IsoDate = Field(alias="from")
    until: IsoDate = Field(description="after `from`")


@router.post(
    "/invoices/{invoice_id}/reminders", status_code=202, response_model=Job, responses=documented(409)
)
async def remind(invoice_id: Id, tenant: Tenant, limit: QueueLimit, creation: Once) -> Response:
    """The customer is to be reminded of a sent invoice by mail."""

    async def create(connection: Connection) -> Created:
        invoice = await invoices.lock(connection, tenant, invoice_id)
        if invoice.status != "sent":
            raise Refused("wrong-status", f"Nobody is reminded of an invoice that is {invoice.status}.")
        return await _taken_on(connection, Order("mail", tenant, invoice.id, {"reminder": True}), limit)

    return await accepted(creation, create)


@router.post(
    "/invoices/{invoice_id}/charges",
    status_code=202,
    response_model=Job,
    dependencies=JSON_IN,
    responses=documented(409, 413, 415),
)
async def charge(
    invoice_id: Id, body: NewCharge, tenant: Tenant, limit: QueueLimit, creation: Once
) -> Response:
    """The customer's card is charged; what it gives becomes a payment of the invoice."""
    cents = body.amount_cents

    async def create(connection: Connection) -> Created:
        invoice = await invoices.lock(connection, tenant, invoice_id)
        paid = pay(invoice, cents)
        job = await jobs.add(connection, Order("charge", tenant, invoice.id, body.model_dump()), limit)
        wanted = {"amount_cents": cents, "currency": invoice.currency, "reference": invoice.number}
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.post(f"{os.environ['PAYMENT_PROVIDER_URL']}/charges", json=wanted)
            answer.raise_for_status()
        await invoices.save(connection, paid)
        payment = await payments.add(connection, invoice.id, cents)
        await connection.execute(
            "UPDATE jobs SET status = 'done', attempts = 1, finished_at = now(), payment_id = %s WHERE id = %s",
            (payment.id, job.id),
        )
        return await _done(connection, tenant, job.id)

    return await accepted(creation, create)


@router.post(
    "/reports",
    status_code=202,
    response_model=Job,
    dependencies=JSON_IN,
    responses=documented(413, 415),
)
async def order_report(body: NewReport, tenant: Tenant, limit: QueueLimit, creation: Once) -> Response:
    """What the tenant's invoices of some days add up to, found in the job once it is done."""
    if body.until <= body.first:
        raise RequestValidationError(
            [{"loc": ("body", "until"), "type": "order", "msg": "must be after `from`"}]
        )
    days = {"from": _text(body.first), "until": _text(body.until)}

    async def create(connection: Connection) -> Created:
        job = await jobs.add(connection, Order("report", tenant, None, days), limit)
        found = await reports.totals(connection, tenant, body.first, body.until)
        await connection.execute(
            "UPDATE jobs SET status = 'done', attempts = 1, finished_at = now(), report = %s WHERE id = %s",
            (Jsonb(found), job.id),
        )
        return await _done(connection, tenant, job.id)

    return await accepted(creation, create)


async def accepted(creation: Once, create: Create) -> Response:
    """202 and the job, also for who repeats the request with its key."""
    answer = await creation.once(create)
    answer.status_code = 202
    return answer


async def _taken_on(connection: Connection, order: Order, limit: int) -> Created:
    job = await jobs.add(connection, order, limit)
    return Created(said_of(job), path_of(job))


async def _done(connection: Connection, tenant: int, job_id: int) -> Created:
    job = await jobs.get(connection, tenant, job_id)
    return Created(said_of(job), path_of(job))


def _text(day: date) -> str:
    return day.isoformat()
