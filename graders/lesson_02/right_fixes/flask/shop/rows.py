"""What the routes share: connections, ids, pages, keys. Rows are dicts, written out as the contract has them."""

import base64
import hashlib
import json
import re
from contextlib import contextmanager
from datetime import datetime

from flask import Response, current_app, g, request
from psycopg.rows import dict_row

from marshmallow import ValidationError

from shop.problems import Problem, invalid, not_found
from shop.schemas import day

KEY = re.compile(r"[!-~]([ -~]{0,126}[!-~])?")
STEP = "to_char({0}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"


def at(column):
    """A time with all its digits, written by Postgres."""
    return f"{STEP.format(column)} AS {column.rpartition('.')[2]}"


@contextmanager
def transaction():
    with current_app.config["POOL"].connection() as connection:
        with connection.cursor(row_factory=dict_row) as cursor:
            yield cursor


def id_of(text, what):
    if not re.fullmatch(r"[1-9][0-9]{0,18}", text, re.ASCII) or int(text) >= 2**63:
        raise not_found(what)
    return int(text)


def one(cursor, what):
    row = cursor.fetchone()
    if row is None:
        raise not_found(what)
    return row


def listed(fetch, position):
    """A page: limit and cursor of the query, `fetch(after, rows)`, and where an item stands in the order."""
    errors = []
    limit = request.args.get("limit", "20")
    if not re.fullmatch(r"[0-9]{1,3}", limit, re.ASCII) or not 1 <= int(limit) <= 100:
        errors.append(("/query/limit", "must be a whole number from 1 to 100"))
    after = None
    if "cursor" in request.args:
        after = decoded(request.args["cursor"], len(position))
        if after is None:
            errors.append(("/query/cursor", "is no cursor of this list"))
    if "as_of" in request.args:
        try:
            day(request.args["as_of"])
        except ValidationError:
            errors.append(("/query/as_of", "must be a date, YYYY-MM-DD"))
    if errors:
        raise invalid(errors)
    rows = fetch(after, int(limit) + 1)
    items, more = rows[: int(limit)], len(rows) > int(limit)
    cursor = [items[-1][name] for name in position] if more else None
    return {"items": items, "next_cursor": encoded(cursor) if more else None}


def encoded(position):
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def decoded(text, length):
    try:
        found = json.loads(base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
        whole = isinstance(found, list) and len(found) == length and all(isinstance(one, str) for one in found)
        if not whole or not re.fullmatch("[0-9]{1,18}", found[-1]):
            return None
        if length == 2:
            datetime.fromisoformat(found[0])
    except ValueError:
        return None
    return found


def created(create):
    """Run `create(cursor) -> (body, location)` once for the request's key, and answer 201."""
    keys = request.headers.getlist("Idempotency-Key")
    if keys and (len(keys) > 1 or not KEY.fullmatch(keys[0])):
        raise invalid([("/header/Idempotency-Key", "must be one key of 1 to 128 printable ASCII characters")])
    with transaction() as cursor:
        if not keys:
            return answer(*create(cursor))
        print_of = hashlib.sha256(f"{request.method} {request.path}\n".encode() + request.get_data()).digest()
        cursor.execute(
            "INSERT INTO idempotency_keys (tenant_id, key, fingerprint) SELECT id, %s, %s FROM tenants WHERE id = %s"
            " ON CONFLICT DO NOTHING",
            (keys[0], print_of, g.tenant),
        )
        mine = (g.tenant, keys[0])
        if cursor.rowcount == 0:
            cursor.execute("SELECT * FROM idempotency_keys WHERE tenant_id = %s AND key = %s", mine)
            return again(one(cursor, "tenant"), print_of)
        body, location = create(cursor)
        kept = (location, json.dumps(body), *mine)
        cursor.execute("UPDATE idempotency_keys SET location = %s, body = %s WHERE tenant_id = %s AND key = %s", kept)
    return answer(body, location)


def again(kept, print_of):
    if bytes(kept["fingerprint"]) != print_of:
        errors = [{"pointer": "/header/Idempotency-Key", "detail": "came with another request before"}]
        raise Problem("idempotency-key-reused", "Use a new key for each new request.", errors=errors)
    return answer(json.loads(kept["body"]), kept["location"])


def answer(body, location):
    return body, 201, {"Location": location}
