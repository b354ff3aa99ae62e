"""What a permitted request leaves behind is judged by the rows alone: done, to the right record, and to no other."""

import pytest

from graders.lesson_06.callers import Request
from graders.lesson_06.effects import fault
from graders.lesson_06.rules import Rule, rule

Asked = tuple[Rule, Request]

BEFORE = {
    "user 1": "ada|viewer|true",
    "user 2": "eve|clerk|true",
    "invoice 7": "3|INV-7|sent|500|0|2026-01-02",
    "invoice 9": "3|INV-9|sent|500|0|2026-01-02",
}
PATCH = (
    rule("PATCH /v1/users/{user_id}"),
    Request("PATCH", "/v1/users/1", {"role": "auditor", "active": True}),
)
PAY = (
    rule("POST /v1/invoices/{invoice_id}/payments"),
    Request("POST", "/v1/invoices/7/payments", {"amount_cents": 100}),
)
MANY = (
    rule("POST /v1/admin/invoices/void"),
    Request("POST", "/v1/admin/invoices/void", {"invoice_ids": ["7", "9"]}),
)
CUSTOMER = (
    rule("POST /v1/customers"),
    Request("POST", "/v1/customers", {"name": "Grace", "email": "g@example.org"}),
)
PAID = {"invoice 7": "3|INV-7|sent|500|100|2026-01-02", "payment 4": "7|100"}
VOID = {"invoice 7": "3|INV-7|void|500|0|2026-01-02", "invoice 9": "3|INV-9|void|500|0|2026-01-02"}


@pytest.mark.parametrize(
    ("asked", "changes"),
    [
        (PATCH, {"user 1": "ada|auditor|true"}),
        (PAY, PAID),
        (MANY, VOID),
        (CUSTOMER, {"customer 5": "Grace|g@example.org"}),
    ],
)
def test_what_was_asked_for_is_done(asked: Asked, changes: dict[str, str]) -> None:
    assert fault(*asked, BEFORE, BEFORE | changes) == ""


@pytest.mark.parametrize(
    ("asked", "changes", "said"),
    [
        (PATCH, {}, "user 1"),
        (PATCH, {"user 1": "ada|clerk|true"}, "user 1"),
        (PATCH, {"user 1": "ada|auditor|true", "user 2": "eve|auditor|true"}, "user 2"),
        (PAY, {"invoice 7": PAID["invoice 7"]}, "payment new"),
        (PAY, PAID | {"payment 5": "7|100"}, "new ones"),
        (MANY, {"invoice 7": VOID["invoice 7"]}, "invoice 9"),
        (CUSTOMER, {}, "customer new"),
    ],
)
def test_what_was_not_is_told(asked: Asked, changes: dict[str, str], said: str) -> None:
    assert said in fault(*asked, BEFORE, BEFORE | changes)
