"""Customers' summaries as the service tells them, and as the rows have them."""

from collections.abc import Mapping
from typing import Any, LiteralString

from graders.check import expect
from graders.lesson_07.answers import with_status
from graders.lesson_07.world import World
from graders.probes.api import SHOWN_AS, Answer, Api

SQL: LiteralString = """
    SELECT customers.id::text, tenants.currency::text,
           count(invoices.id), count(invoices.id) FILTER (WHERE status = 'draft'),
           coalesce(sum(total_cents) FILTER (WHERE status <> 'draft'), 0)::bigint,
           coalesce(sum(paid_cents), 0)::bigint,
           coalesce(sum(total_cents - paid_cents) FILTER (WHERE status = 'sent'), 0)::bigint
    FROM public.customers JOIN public.tenants ON tenants.id = customers.tenant_id
    LEFT JOIN public.invoices ON invoices.customer_id = customers.id AND invoices.status <> 'void'
    WHERE customers.id = %s GROUP BY customers.id, tenants.currency
"""
NAMES = ("customer_id", "currency", "invoices", "drafts", "total_cents", "paid_cents", "outstanding_cents")
SUMMARY = f"curl -s -H 'X-Tenant-ID: 1' {SHOWN_AS}/v1/customers/1/summary"


def ask(world: World, customer: str, api: Api | None = None) -> Answer:
    return (api or world.api).get(f"/v1/customers/{customer}/summary", tenant=world.tenant)


def summary(world: World, customer: str, api: Api | None = None) -> Answer:
    """The answer, which is a 200."""
    return with_status(
        ask(world, customer, api), 200, "GET summary", "A customer of the tenant has a summary."
    )


def right(world: World, customer: str) -> Mapping[str, Any]:
    """What the rows add up to, without `newest_at`."""
    [row] = world.rows(SQL, [customer])
    return dict(zip(NAMES, row, strict=True))


def expect_right(
    world: World, answer: Answer, customer: str, because: str, did: str = "", what: str = "", name: str = ""
) -> None:
    """The answer says what the rows say now. what: which summary, in full; name: the same in two or three words."""
    told, wanted = answer.json(), right(world, customer)
    wrong = [
        f"{name}: {told.get(name)!r}, and the rows say {value!r}"
        for name, value in wanted.items()
        if not isinstance(told, dict) or told.get(name) != value or isinstance(told.get(name), bool)
    ]
    expect(
        not wrong,
        expected=f"{what or 'The summary'} says what the rows say.",
        got="\n".join(f"{name or 'summary'}, {each}" for each in wrong),
        because=because,
        did=did or answer.did,
    )
