"""For each route a request that does what it is for, on records of a tenant that are there and in the right state."""

from graders.lesson_06.callers import MERGE_PATCH, Request
from graders.lesson_06.rules import Rule
from graders.lesson_06.world import MINE, World

LINES = [{"description": "Services as agreed", "quantity": 1, "unit_price_cents": 4_200}]


def request_for(rule: Rule, world: World, tenant: int = MINE) -> Request:
    """A request of that route about the tenant's records. Those it would use up are taken from the world."""
    path = rule.template
    if "{number}" in path:
        path = path.replace("{number}", world.payment(tenant)[2])
    if "{payment_id}" in path:
        invoice, payment, _ = world.payment(tenant)
        path = path.replace("{invoice_id}", invoice).replace("{payment_id}", payment)
    if "{invoice_id}" in path:
        path = path.replace(
            "{invoice_id}", world.draft(tenant) if path.endswith("/send") else world.sent(tenant)
        )
    if "{customer_id}" in path:
        busy = rule.method == "GET" or path.endswith("/invoices")
        path = path.replace("{customer_id}", world.customer(tenant) if busy else world.idle_customer(tenant))
    if "{user_id}" in path:
        path = path.replace("{user_id}", world.spare_user(tenant))
    body = _body(rule, world, tenant)
    return Request(rule.method, path, body, tuple(MERGE_PATCH.items()) if rule.method == "PATCH" else ())


def _body(rule: Rule, world: World, tenant: int) -> object:
    match rule.route:
        case "POST /v1/customers" | "PUT /v1/customers/{customer_id}":
            return {"name": "Grace Hopper", "email": "grace@example.org"}
        case "PATCH /v1/customers/{customer_id}":
            return {"name": "Grace M. Hopper"}
        case "POST /v1/customers/{customer_id}/invoices":
            return {"lines": LINES}
        case "POST /v1/invoices/{invoice_id}/send":
            return {"due_on": "2026-12-31"}
        case "POST /v1/invoices/{invoice_id}/payments":
            return {"amount_cents": 100}
        case "POST /v1/admin/invoices/void":
            return {"invoice_ids": [world.sent(tenant), world.sent(tenant)]}
        case "PATCH /v1/users/{user_id}":
            return {"role": "auditor", "active": True}  # which none of them is
    return None
