"""Every refusal as problem details (RFC 9457), made in one place for the routes, for Flask and for whatever breaks."""

import json

from flask import Flask, Response, g, request
from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from werkzeug.exceptions import HTTPException

TITLES = {
    400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable", 413: "Content Too Large",
    415: "Unsupported Media Type", 500: "Internal Server Error",
}
KINDS = {
    "invalid-tenant": (400, "The tenant is missing or malformed"),
    "invalid-request": (422, "The request does not say what it must"),
    "idempotency-key-reused": (422, "The idempotency key was used for another request"),
    "wrong-status": (409, "The invoice's status does not allow this"),
    "overpayment": (409, "The payment is more than what is outstanding"),
    "number-taken": (409, "The invoice number is taken"),
    "customer-has-invoices": (409, "The customer has invoices"),
    "dependency-unavailable": (503, "Something this service depends on does not answer"),
}


class Problem(Exception):
    """One refusal: a plain status, or one of KINDS."""

    def __init__(self, kind, detail, headers=None, **more):
        super().__init__(detail)
        status, title = KINDS[kind] if kind in KINDS else (kind, TITLES[kind])
        name = f"urn:problem-type:billing:{kind}" if kind in KINDS else "about:blank"
        self.body = {"type": name, "title": title, "status": status, "detail": detail, **more}
        self.headers = headers or {}

    def response(self):
        text = json.dumps(self.body)
        return Response(text, self.body["status"], self.headers, content_type="application/problem+json")


def not_found(what):
    return Problem(404, f"There is no such {what}.")


def invalid(errors):
    """errors: (pointer, detail) each."""
    listed = [{"pointer": pointer, "detail": detail} for pointer, detail in errors]
    return Problem("invalid-request", f"{len(listed)} faults; see errors.", errors=listed)


def handle_all(app: Flask):
    @app.errorhandler(Problem)
    def problem(refusal):
        return refusal.response()

    @app.errorhandler(HTTPException)
    def refused_by_flask(refusal):
        status = refusal.code if refusal.code in TITLES else 400
        headers = {"Allow": ", ".join(sorted(refusal.valid_methods or ()))} if status == 405 else {}
        return Problem(status, TITLES[status] + ".", headers).response()

    @app.errorhandler(OperationalError)
    @app.errorhandler(PoolTimeout)
    def no_database(trouble):
        detail = "postgres does not answer at the moment; try again."
        headers = {"Retry-After": "1"}
        return Problem("dependency-unavailable", detail, headers, dependency="postgres").response()

    @app.errorhandler(Exception)
    def unforeseen(trouble):
        app.logger.exception("unforeseen failure", extra={"fields": {"request_id": g.request_id}})
        return Problem(500, "Something went wrong on our side.").response()
