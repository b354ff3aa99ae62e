"""What CONTRACT.md promises of HTTP, as the document must have it: methods, paths, bodies, answers."""

import re
from dataclasses import dataclass

from graders.lesson_02.shapes import (
    BALANCE,
    CUSTOMER,
    INVOICE,
    PAYMENT,
    WITH_LINES,
    Shape,
    page_of,
)
from graders.probes.openapi_document import Document, Operation

JSON = "application/json"
PROBLEM = "application/problem+json"
MERGE_PATCH = "application/merge-patch+json"


@dataclass(frozen=True)
class Promise:
    """One row of the contract's table. `path` with {} for what stands in braces; `refusals`: statuses that must be said."""

    method: str
    path: str
    status: int
    shape: Shape | None
    body: str = ""
    query: tuple[str, ...] = ()
    key: bool = False

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def refusals(self) -> tuple[int, ...]:
        """Statuses that every such operation answers now and then."""
        if not self.path.startswith("/v1"):
            return ()
        more = (413, 415) if self.body else ()
        accept = (406,) if self.shape is not None else ()
        absent = (404,) if "{}" in self.path else ()
        against = (409,) if self.has_conflicts else ()
        return (400, *absent, *accept, *against, *more, 422, 500, 503)

    @property
    def has_conflicts(self) -> bool:
        """Whether the state of things can be against it."""
        return self.method == "delete" or (self.method == "post" and "{}" in self.path)


PROMISES = (
    Promise("get", "/livez", 200, None),
    Promise("get", "/readyz", 200, None),
    Promise("post", "/v1/customers", 201, CUSTOMER, JSON, key=True),
    Promise("get", "/v1/customers", 200, page_of(CUSTOMER), query=("limit", "cursor")),
    Promise("get", "/v1/customers/{}", 200, CUSTOMER),
    Promise("put", "/v1/customers/{}", 200, CUSTOMER, JSON),
    Promise("patch", "/v1/customers/{}", 200, CUSTOMER, MERGE_PATCH),
    Promise("delete", "/v1/customers/{}", 204, None),
    Promise("get", "/v1/customers/{}/balance", 200, BALANCE),
    Promise("get", "/v1/customers/{}/invoices", 200, page_of(INVOICE), query=("limit", "cursor")),
    Promise("post", "/v1/customers/{}/invoices", 201, WITH_LINES, JSON, key=True),
    Promise("get", "/v1/invoices/overdue", 200, page_of(INVOICE), query=("as_of", "limit", "cursor")),
    Promise("get", "/v1/invoices/by-number/{}", 200, WITH_LINES),
    Promise("get", "/v1/invoices/{}", 200, WITH_LINES),
    Promise("post", "/v1/invoices/{}/send", 200, WITH_LINES, JSON),
    Promise("post", "/v1/invoices/{}/void", 200, WITH_LINES),
    Promise("post", "/v1/invoices/{}/payments", 201, PAYMENT, JSON, key=True),
    Promise("get", "/v1/invoices/{}/payments/{}", 200, PAYMENT),
)

PROMISED = {(one.method, one.path): one for one in PROMISES}


def plain(path: str) -> str:
    """The path with {} for whatever stands in braces: names of parameters are free."""
    return re.sub(r"\{[^{}/]*\}", "{}", path)


def find(document: Document, method: str, path: str) -> Operation | None:
    """The documented operation of a promised one."""
    return next(
        (one for one in document.operations() if one.method == method and plain(one.full_path) == path), None
    )
