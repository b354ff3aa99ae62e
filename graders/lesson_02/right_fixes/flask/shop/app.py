"""The application: what holds for every request, before and after its route."""

import json
import re
import time
import uuid
from pathlib import Path

import logging

from flask import Flask, Response, g, request

from shop import customers, invoices
from shop.problems import Problem, handle_all, invalid, not_found

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
QUERY = {
    "/v1/customers": {"limit", "cursor"},
    "/v1/customers/<customer_id>/invoices": {"limit", "cursor"},
    "/v1/invoices/overdue": {"limit", "cursor", "as_of"},
}
DOCUMENT = json.loads((Path(__file__).parents[1] / "openapi.json").read_text("utf-8"))
log = logging.getLogger("shop.requests")


def create_app(pool):
    app = Flask("shop", static_folder=None)
    app.url_map.strict_slashes = True
    app.url_map.redirect_defaults = False
    app.url_map.merge_slashes = False
    app.json.sort_keys = False
    app.json.ensure_ascii = False
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.config["POOL"] = pool
    app.config["PROPAGATE_EXCEPTIONS"] = False
    handle_all(app)

    @app.before_request
    def begin():
        g.started = time.perf_counter()
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        g.tenant = None
        if request.routing_exception or not request.path.startswith("/v1"):
            return
        g.tenant = tenant()
        if request.method != "DELETE" and not takes_json():
            raise Problem(406, "This service answers with application/json only.")
        rule = request.url_rule.rule if request.method in ("GET", "HEAD") else ""
        unknown = [name for name in request.args if name not in QUERY.get(rule, ())]
        if unknown:
            raise invalid([("/query/" + n.replace("~", "~0").replace("/", "~1"), "is unknown") for n in unknown])

    @app.after_request
    def end(response):
        response.headers["X-Request-ID"] = g.request_id
        rule = request.url_rule.rule if request.url_rule else None
        fields = {
            "request_id": g.request_id,
            "tenant_id": g.tenant,
            "method": request.method,
            "route": rule and re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule),
            "status": response.status_code,
            "duration_ms": round((time.perf_counter() - g.started) * 1000, 3),
        }
        log.info("request", extra={"fields": fields})
        return response

    @app.get("/livez")
    def live():
        return {"status": "alive"}

    @app.get("/readyz")
    def ready():
        with pool.connection(timeout=1) as connection:
            connection.execute("SELECT 1")
        return {"status": "ready"}

    @app.get("/openapi.json")
    def document():
        return DOCUMENT

    app.register_blueprint(customers.routes)
    app.register_blueprint(invoices.routes)
    return app


def tenant():
    values = request.headers.getlist("X-Tenant-ID")
    if len(values) != 1 or not is_id(values[0]):
        raise Problem("invalid-tenant", "Send the header X-Tenant-ID once, with the id of the tenant.")
    return values[0]


def is_id(text):
    return bool(re.fullmatch(r"[1-9][0-9]{0,18}", text, re.ASCII)) and int(text) < 2**63


def takes_json():
    return not request.headers.get("Accept", "").strip() or request.accept_mimetypes["application/json"] > 0
