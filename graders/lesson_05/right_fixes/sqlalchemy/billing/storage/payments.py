"""A payment is recorded once, beside the invoice that it pays."""

from sqlalchemy import select

from billing.domain.errors import NotFound
from billing.domain.payments import Payment
from billing.storage.pool import Connection
from billing.storage.tables import InvoiceRow, PaymentRow


async def add(session: Connection, invoice_id: int, amount_cents: int) -> Payment:
    row = PaymentRow(invoice_id=invoice_id, amount_cents=amount_cents)
    session.add(row)
    await session.flush()
    await session.refresh(row)
    return _payment(row)


async def get(session: Connection, tenant_id: int, invoice_id: int, payment_id: int) -> Payment:
    """The payment. Raises NotFound when there is none, or when its invoice is another tenant's."""
    query = (
        select(PaymentRow)
        .join(InvoiceRow, InvoiceRow.id == PaymentRow.invoice_id)
        .where(PaymentRow.id == payment_id, InvoiceRow.id == invoice_id, InvoiceRow.tenant_id == tenant_id)
    )
    row = await session.scalar(query)
    if row is None:
        raise NotFound("payment")
    return _payment(row)


def _payment(row: PaymentRow) -> Payment:
    return Payment(row.id, row.invoice_id, row.amount_cents, row.received_at)
