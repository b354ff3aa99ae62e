"""Customers: created, listed, replaced, patched, deleted; and what they owe."""

from flask import Blueprint, Response, g
from psycopg.errors import ForeignKeyViolation
from psycopg.types.json import Jsonb

from shop.problems import Problem, not_found
from shop.rows import at, created, id_of, listed, one, transaction
from shop.schemas import Customer, body, load

routes = Blueprint("customers", __name__)
COLUMNS = f"id::text AS id, name, email, address, {at('created_at')}"
MINE = "WHERE tenant_id = %(tenant)s AND id = %(id)s"


def shown(row):
    if row["address"] is not None:
        row["address"] = {name: row["address"].get(name) for name in ("street", "city", "postcode", "country")}
    return row


def stored(details):
    address = details.get("address")
    return {**details, "tenant": g.tenant, "address": None if address is None else Jsonb(address)}


@routes.post("/v1/customers")
def create():
    details = load(Customer, body())

    def insert(cursor):
        cursor.execute(
            "INSERT INTO customers (tenant_id, name, email, address)"
            f" SELECT id, %(name)s, %(email)s, %(address)s FROM tenants WHERE id = %(tenant)s RETURNING {COLUMNS}",
            stored(details),
        )
        customer = shown(one(cursor, "tenant"))
        return customer, f"/v1/customers/{customer['id']}"

    return created(insert)


@routes.get("/v1/customers")
def list_all():
    def fetch(after, rows):
        with transaction() as cursor:
            cursor.execute(
                f"SELECT {COLUMNS} FROM customers WHERE tenant_id = %s AND id > %s ORDER BY customers.id LIMIT %s",
                (g.tenant, after[0] if after else 0, rows),
            )
            return [shown(row) for row in cursor.fetchall()]

    return listed(fetch, ["id"])


@routes.get("/v1/customers/<customer_id>")
def get(customer_id):
    id = id_of(customer_id, "customer")
    with transaction() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM customers {MINE}", {"tenant": g.tenant, "id": id})
        return shown(one(cursor, "customer"))


@routes.put("/v1/customers/<customer_id>")
def replace(customer_id):
    id = id_of(customer_id, "customer")
    details = load(Customer, body())
    with transaction() as cursor:
        return shown(updated(cursor, id, details))


@routes.patch("/v1/customers/<customer_id>")
def change(customer_id):
    id = id_of(customer_id, "customer")
    patch = body("application/merge-patch+json")
    with transaction() as cursor:
        mine = {"tenant": g.tenant, "id": id}
        cursor.execute(f"SELECT name, email, address FROM customers {MINE} FOR NO KEY UPDATE", mine)
        now = one(cursor, "customer")
        if now["address"] is None:
            del now["address"]
        return shown(updated(cursor, id, load(Customer, merge(now, patch))))


@routes.delete("/v1/customers/<customer_id>")
def delete(customer_id):
    id = id_of(customer_id, "customer")
    try:
        with transaction() as cursor:
            cursor.execute(f"DELETE FROM customers {MINE}", {"tenant": g.tenant, "id": id})
            if cursor.rowcount == 0:
                raise not_found("customer")
    except ForeignKeyViolation:
        raise Problem("customer-has-invoices", "This customer has invoices, so it is kept.") from None
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


@routes.get("/v1/customers/<customer_id>/balance")
def balance(customer_id):
    query = f"""
        SELECT customers.id::text AS customer_id, tenants.currency, count(invoices.id) AS open_invoices,
               coalesce(sum(invoices.total_cents - invoices.paid_cents), 0)::bigint AS outstanding_cents
        FROM customers JOIN tenants ON tenants.id = customers.tenant_id
        LEFT JOIN invoices ON invoices.customer_id = customers.id AND invoices.status = 'sent'
        WHERE customers.tenant_id = %(tenant)s AND customers.id = %(id)s GROUP BY 1, 2
    """
    with transaction() as cursor:
        cursor.execute(query, {"tenant": g.tenant, "id": id_of(customer_id, "customer")})
        return one(cursor, "customer")


def updated(cursor, id, details):
    cursor.execute(
        f"UPDATE customers SET name = %(name)s, email = %(email)s, address = %(address)s {MINE} RETURNING {COLUMNS}",
        {**stored(details), "id": id},
    )
    return one(cursor, "customer")


def merge(target, patch):
    """RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result
