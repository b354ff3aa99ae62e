"""What a request that is permitted must leave in the tables, and that it leaves everything else alone."""

import re
from collections.abc import Mapping
from typing import Any

from graders.lesson_06.callers import Request
from graders.lesson_06.rules import Rule

NEW = "new"
Records = Mapping[str, str]


def fault(rule: Rule, request: Request, before: Records, after: Records) -> str:
    """What was not done, or was done to others, in words; empty where all is right."""
    found = {_name(record, before): after.get(record, "") for record in _touched(before, after)}
    wanted = _wanted(rule, request)
    others = sorted(found.keys() - wanted.keys())
    if others or len(found) != len(_touched(before, after)):
        return f"other records were changed, too: {', '.join(others[:4]) or 'several new ones'}"
    missing = [
        name for name, pattern in wanted.items() if not _is(pattern, found.get(name, after.get(name, "")))
    ]
    return f"was not done, says the database: {', '.join(missing)}" if missing else ""


def _touched(before: Records, after: Records) -> list[str]:
    return [record for record in {*before, *after} if before.get(record) != after.get(record)]


def _name(record: str, before: Records) -> str:
    """`invoice 1002`, or `invoice new`: the ids of new records are the service's."""
    return record if record in before else f"{record.partition(' ')[0]} {NEW}"


def _is(pattern: str, found: str) -> bool:
    return re.fullmatch(pattern, found) is not None


def _wanted(rule: Rule, request: Request) -> Mapping[str, str]:
    """Which records change, and what they say then: the columns of `world.RECORDS`; nothing for one that is gone."""
    body: Any = request.body
    id = request.path.removesuffix("/send").removesuffix("/void").removesuffix("/payments").rpartition("/")[2]
    match rule.route:
        case "POST /v1/customers":
            return {f"customer {NEW}": re.escape(f"{body['name']}|{body['email']}")}
        case "PUT /v1/customers/{customer_id}":
            return {f"customer {id}": re.escape(f"{body['name']}|{body['email']}")}
        case "PATCH /v1/customers/{customer_id}":
            return {f"customer {id}": re.escape(body["name"]) + r"\|.*"}
        case "DELETE /v1/customers/{customer_id}":
            return {f"customer {id}": ""}
        case "POST /v1/customers/{customer_id}/invoices":
            customer = request.path.removesuffix("/invoices").rpartition("/")[2]
            return {f"invoice {NEW}": rf"{customer}\|.*\|draft\|\d+\|0"}
        case "POST /v1/invoices/{invoice_id}/send":
            return {f"invoice {id}": rf".*\|sent\|\d+\|0\|{body['due_on']}"}
        case "POST /v1/invoices/{invoice_id}/payments":
            paid = body["amount_cents"]
            return {f"invoice {id}": rf".*\|sent\|\d+\|{paid}\|.*", f"payment {NEW}": rf"{id}\|{paid}"}
        case "POST /v1/invoices/{invoice_id}/void":
            return {f"invoice {id}": VOID}
        case "POST /v1/admin/invoices/void":
            return {f"invoice {each}": VOID for each in body["invoice_ids"]}
        case "PATCH /v1/users/{user_id}":
            return {f"user {id}": rf".*\|{body['role']}\|t(rue)?"}
    return {}


VOID = r".*\|void\|\d+\|0(\|.*)?"
