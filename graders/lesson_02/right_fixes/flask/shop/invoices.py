"""Invoices: drafted, listed, found, sent, voided, paid."""

from flask import Blueprint, g, request

from shop.problems import Problem, invalid, not_found
from shop.rows import at, created, id_of, listed, one, transaction
from shop.schemas import NewInvoice, NewPayment, Sending, body, load

routes = Blueprint("invoices", __name__)
COLUMNS = f"""
    invoices.id::text AS id, customer_id::text AS customer_id, number, status, currency, total_cents, paid_cents,
    due_on::text AS due_on, {at('invoices.created_at')}
"""
PAYMENT = f"payments.id::text AS id, invoice_id::text AS invoice_id, amount_cents, {at('received_at')}"
MOST = 1_000_000_000_000


@routes.post("/v1/customers/<customer_id>/invoices")
def draft(customer_id):
    customer = id_of(customer_id, "customer")
    wanted = load(NewInvoice, body())
    total = sum(line["quantity"] * line["unit_price_cents"] for line in wanted["lines"])
    if not 1 <= total <= MOST:
        raise invalid([("/body/lines", f"must add up to 1 to {MOST} cents")])

    def insert(cursor):
        its(cursor, customer)
        number = wanted.get("number")
        row = store(cursor, customer, number or next_number(cursor), total)
        while row is None and number is None:
            row = store(cursor, customer, next_number(cursor), total)
        if row is None:
            raise Problem("number-taken", "An invoice with this number exists already.")
        lines = [(row["id"], at, *line.values()) for at, line in enumerate(map(ordered, wanted["lines"]), 1)]
        cursor.executemany("INSERT INTO invoice_lines VALUES (%s, %s, %s, %s, %s)", lines)
        return with_lines(cursor, row), f"/v1/invoices/{row['id']}"

    return created(insert)


def ordered(line):
    return {name: line[name] for name in ("description", "quantity", "unit_price_cents")}


def its(cursor, customer):
    cursor.execute("SELECT id FROM customers WHERE tenant_id = %s AND id = %s", (g.tenant, customer))
    one(cursor, "customer")


def next_number(cursor):
    cursor.execute(
        "UPDATE tenants SET last_invoice_number = last_invoice_number + 1 WHERE id = %s RETURNING last_invoice_number",
        (g.tenant,),
    )
    return f"INV-{one(cursor, 'tenant')['last_invoice_number']:06d}"


def store(cursor, customer, number, total):
    cursor.execute(
        "INSERT INTO invoices (tenant_id, customer_id, number, currency, total_cents)"
        " SELECT id, %s, %s, currency, %s FROM tenants WHERE id = %s"
        f" ON CONFLICT DO NOTHING RETURNING {COLUMNS}",
        (customer, number, total, g.tenant),
    )
    return cursor.fetchone()


def with_lines(cursor, row):
    cursor.execute(
        "SELECT description, quantity, unit_price_cents FROM invoice_lines WHERE invoice_id = %s ORDER BY position",
        (row["id"],),
    )
    return {**row, "lines": cursor.fetchall()}


@routes.get("/v1/customers/<customer_id>/invoices")
def of_customer(customer_id):
    customer = id_of(customer_id, "customer")

    def fetch(after, rows):
        seek = "AND (invoices.created_at, invoices.id) < (%(time)s, %(id)s)" if after else ""
        query = f"""
            SELECT {COLUMNS} FROM invoices WHERE customer_id = %(customer)s {seek}
            ORDER BY invoices.created_at DESC, invoices.id DESC LIMIT %(rows)s
        """
        place = {"time": after[0], "id": int(after[1])} if after else {}
        with transaction() as cursor:
            its(cursor, customer)
            cursor.execute(query, {"customer": customer, "rows": rows, **place})
            return cursor.fetchall()

    return listed(fetch, ["created_at", "id"])


@routes.get("/v1/invoices/overdue")
def overdue():
    def fetch(after, rows):
        seek = "AND (invoices.due_on, invoices.id) > (%(day)s, %(id)s)" if after else ""
        query = f"""
            SELECT {COLUMNS} FROM invoices WHERE tenant_id = %(tenant)s AND status = 'sent'
            AND invoices.due_on < coalesce(%(as_of)s::date, (now() AT TIME ZONE 'UTC')::date) {seek}
            ORDER BY invoices.due_on, invoices.id LIMIT %(rows)s
        """
        place = {"day": after[0], "id": int(after[1])} if after else {}
        with transaction() as cursor:
            values = {"tenant": g.tenant, "as_of": request.args.get("as_of"), "rows": rows}
            cursor.execute(query, {**values, **place})
            return cursor.fetchall()

    return listed(fetch, ["due_on", "id"])


@routes.get("/v1/invoices/by-number/<path:number>")
def by_number(number):
    if "\x00" in number:
        raise not_found("invoice")
    with transaction() as cursor:
        query = f"SELECT {COLUMNS} FROM invoices WHERE tenant_id = %s AND lower(number) = lower(%s)"
        cursor.execute(query, (g.tenant, number))
        return with_lines(cursor, one(cursor, "invoice"))


@routes.get("/v1/invoices/<invoice_id>")
def get(invoice_id):
    with transaction() as cursor:
        return with_lines(cursor, found(cursor, invoice_id))


def found(cursor, invoice_id, lock=""):
    query = f"SELECT {COLUMNS} FROM invoices WHERE tenant_id = %s AND id = %s {lock}"
    cursor.execute(query, (g.tenant, id_of(invoice_id, "invoice")))
    return one(cursor, "invoice")


def step(cursor, row, **changes):
    columns = ", ".join(f"{name} = %({name})s" for name in changes)
    query = f"UPDATE invoices SET {columns} WHERE id = %(id)s RETURNING {COLUMNS}"
    cursor.execute(query, {"id": row["id"], **changes})
    return cursor.fetchone()


def refuse(row):
    return Problem("wrong-status", f"This invoice is {row['status']}.")


@routes.post("/v1/invoices/<invoice_id>/send")
def send(invoice_id):
    due_on = load(Sending, body())["due_on"]
    with transaction() as cursor:
        row = found(cursor, invoice_id, "FOR UPDATE")
        if row["status"] != "draft":
            raise refuse(row)
        return with_lines(cursor, step(cursor, row, status="sent", due_on=due_on))


@routes.post("/v1/invoices/<invoice_id>/void")
def void(invoice_id):
    with transaction() as cursor:
        row = found(cursor, invoice_id, "FOR UPDATE")
        if row["status"] not in ("draft", "sent") or row["paid_cents"]:
            raise refuse(row)
        return with_lines(cursor, step(cursor, row, status="void"))


@routes.post("/v1/invoices/<invoice_id>/payments")
def pay(invoice_id):
    id_of(invoice_id, "invoice")
    cents = load(NewPayment, body())["amount_cents"]

    def insert(cursor):
        row = found(cursor, invoice_id, "FOR UPDATE")
        if row["status"] != "sent":
            raise refuse(row)
        paid = row["paid_cents"] + cents
        if paid > row["total_cents"]:
            raise Problem("overpayment", "That is more than what is outstanding.")
        step(cursor, row, status="paid" if paid == row["total_cents"] else "sent", paid_cents=paid)
        query = f"INSERT INTO payments (invoice_id, amount_cents) VALUES (%s, %s) RETURNING {PAYMENT}"
        cursor.execute(query, (row["id"], cents))
        payment = cursor.fetchone()
        return payment, f"/v1/invoices/{row['id']}/payments/{payment['id']}"

    return created(insert)


@routes.get("/v1/invoices/<invoice_id>/payments/<payment_id>")
def payment(invoice_id, payment_id):
    with transaction() as cursor:
        cursor.execute(
            f"SELECT {PAYMENT} FROM payments JOIN invoices ON invoices.id = invoice_id"
            " WHERE payments.id = %s AND invoice_id = %s AND tenant_id = %s",
            (id_of(payment_id, "payment"), id_of(invoice_id, "invoice"), g.tenant),
        )
        return one(cursor, "payment")
