"""Every failure has one shape: problem details as `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:problem-type:billing:"


# Of RFC 9110, section 15, spelled out: what the standard library says differs between versions of Python.
PHRASES = {
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True)
class Kind:
    """One kind of problem: `type` and `title` never change, `detail` is about the one case."""

    type: str
    title: str
    status: int


INVALID_TENANT = Kind(f"{TYPE_PREFIX}invalid-tenant", "The tenant is missing or malformed", 400)
KEY_REUSED = Kind(
    f"{TYPE_PREFIX}idempotency-key-reused", "The idempotency key was used for another request", 422
)
UNAUTHENTICATED = Kind(f"{TYPE_PREFIX}unauthenticated", "Who sends this is not known", 401)
FORBIDDEN = Kind(f"{TYPE_PREFIX}forbidden", "Your role does not permit this", 403)
INVALID_REQUEST = Kind(f"{TYPE_PREFIX}invalid-request", "The request does not say what it must", 422)
DEPENDENCY_UNAVAILABLE = Kind(
    f"{TYPE_PREFIX}dependency-unavailable", "Something this service depends on does not answer", 503
)
QUEUE_FULL = Kind(f"{TYPE_PREFIX}queue-full", "Too much is waiting to be done", 503)
JOB_NOT_DEAD = Kind(f"{TYPE_PREFIX}job-not-dead", "Only a dead job can be queued again", 409)
CONFLICTS = {
    "wrong-status": Kind(f"{TYPE_PREFIX}wrong-status", "The invoice's status does not allow this", 409),
    "overpayment": Kind(f"{TYPE_PREFIX}overpayment", "The payment is more than what is outstanding", 409),
    "customer-has-invoices": Kind(f"{TYPE_PREFIX}customer-has-invoices", "The customer has invoices", 409),
    "number-taken": Kind(f"{TYPE_PREFIX}number-taken", "The invoice number is taken", 409),
}


def plain(status: int) -> Kind:
    """A problem that its status says all about."""
    return Kind("about:blank", PHRASES[status], status)


class Fault(BaseModel):
    """One fault of a request."""

    pointer: str = Field(description="JSON Pointer (RFC 6901) into the request: /body/…, /query/…, /header/…")
    detail: str


class Problem(BaseModel):
    """Problem details, RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault] | None = Field(None, description="with status 422: every fault that was found")
    dependency: str | None = Field(None, description="with status 503: what does not answer")


def response(
    kind: Kind,
    detail: str,
    *,
    errors: Sequence[Fault] | None = None,
    dependency: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    problem = Problem(
        type=kind.type,
        title=kind.title,
        status=kind.status,
        detail=detail,
        errors=list(errors) if errors else None,
        dependency=dependency,
    )
    content = problem.model_dump(exclude_none=True)
    return JSONResponse(content, kind.status, headers=headers, media_type=MEDIA_TYPE)


def unavailable(dependency: str) -> JSONResponse:
    """503: the service is well, but `dependency` does not answer."""
    detail = f"{dependency} does not answer at the moment; try again."
    return response(DEPENDENCY_UNAVAILABLE, detail, dependency=dependency, headers={"Retry-After": "1"})


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the API's document says about these statuses."""
    return {status: {"model": Problem, "description": PHRASES[status]} for status in statuses}
