"""An invoice that is sent reaches its customer, or it is not sent: the job for the mail is committed together with it."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from billing.domain.jobs import Order
from billing.storage import jobs
from billing.storage.pool import Connection

Posting = Callable[[Connection, int, int], Awaitable[None]]


async def posting_of(request: Request) -> Posting:
    """What is to be done for an invoice of a tenant in the transaction that sends it. Without a queue, nothing."""
    limit: int | None = getattr(request.app.state, "queue_limit", None)

    async def post(connection: Connection, tenant_id: int, invoice_id: int) -> None:
        if limit is not None:
            await jobs.add(connection, Order("mail", tenant_id, invoice_id, {}), limit)

    return post


Post = Annotated[Posting, Depends(posting_of)]
