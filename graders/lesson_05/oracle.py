"""What the right answers are: plain SQL over the promised tables, without a thought for speed."""

from datetime import date
from typing import Any, LiteralString

from graders.lesson_05.reads import Customer
from graders.lesson_05.shapes import Balance, Invoice
from graders.probes.postgres import Postgres

# ruff: noqa: S608 - every part of these statements is a constant

COLUMNS: LiteralString = """
    id::text, customer_id::text, number, status, currency, total_cents, paid_cents, due_on, created_at
"""
NEWEST: LiteralString = f"""
    SELECT {COLUMNS} FROM public.invoices WHERE customer_id = %s ORDER BY created_at DESC, invoices.id DESC
"""
OVERDUE: LiteralString = f"""
    SELECT {COLUMNS} FROM public.invoices
    WHERE tenant_id = %s AND status = 'sent' AND due_on < %s ORDER BY due_on, invoices.id
"""
BY_NUMBER: LiteralString = (
    f"SELECT {COLUMNS} FROM public.invoices WHERE tenant_id = %s AND lower(number) = lower(%s)"
)
BALANCE: LiteralString = """
    SELECT customers.id::text, tenants.currency, count(invoices.id), coalesce(sum(total_cents - paid_cents), 0)::bigint
    FROM public.customers
    JOIN public.tenants ON tenants.id = customers.tenant_id
    LEFT JOIN public.invoices ON invoices.customer_id = customers.id AND status = 'sent'
    WHERE customers.id = %s
    GROUP BY customers.id, tenants.currency
"""


class Oracle:
    """Answers from the tables themselves, at the moment of asking."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    def newest(self, customer: Customer) -> list[Invoice]:
        return self._invoices(NEWEST, customer.id)

    def overdue(self, tenant: int, as_of: date) -> list[Invoice]:
        return self._invoices(OVERDUE, tenant, as_of)

    def by_number(self, tenant: int, number: str) -> Invoice | None:
        found = self._invoices(BY_NUMBER, tenant, number)
        return found[0] if found else None

    def balance(self, customer: Customer) -> Balance:
        return Balance(*self._postgres.row(BALANCE, [customer.id]))

    def _invoices(self, sql: LiteralString, *parameters: Any) -> list[Invoice]:
        return [Invoice(*row) for row in self._postgres.rows(sql, parameters)]
