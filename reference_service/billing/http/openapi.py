"""The API's document is true: it has the problems and headers that come, and no answer that can't."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from billing.http.problems import MEDIA_TYPE, PHRASES

HEADERS = {
    "X-Request-ID": ("RequestId", "the id of this request in the logs"),
    "Location": ("Location", "the path at which the new thing is found"),
    "Retry-After": ("RetryAfter", "seconds to wait before the next try"),
    "Accept-Patch": ("AcceptPatch", "the media type that a patch must have"),
}
DESCRIPTION = (
    "Customers, their invoices, and the payments that come in. Money is whole cents, times are RFC 3339 in UTC, ids are "
    "opaque. HEAD goes wherever GET goes. Every refusal is problem details (RFC 9457)."
)


Correction = Callable[[dict[str, Any]], dict[str, Any]]


def document_truly(app: FastAPI, last: Correction | None = None) -> None:
    """Replace the document that the framework makes by one without its guesses; `last` has the last word."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes
            )
            document = _corrected(document)
            app.openapi_schema = last(document) if last else document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _corrected(document: dict[str, Any]) -> dict[str, Any]:
    for path in document["paths"].values():
        for method, operation in path.items():
            _correct(method, operation)
    components = document["components"]
    for guess in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(guess, None)
    components["headers"] = {
        name: {"description": description, "required": True, "schema": {"type": "string"}}
        for name, description in HEADERS.values()
    }
    components["responses"] = {_name(status): _problem(status) for status in PHRASES}
    return document


def _correct(method: str, operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", []):
        _correct_parameter(parameter)
    responses = operation["responses"]
    for status, response in responses.items():
        if int(status) in PHRASES:
            responses[status] = {"$ref": f"#/components/responses/{_name(int(status))}"}
        else:
            response["headers"] = _headers(
                "X-Request-ID", *(["Location"] if status in ("201", "202") else [])
            )
    if method == "patch":
        responses["415"] = _problem(415, "Accept-Patch")


def _correct_parameter(parameter: dict[str, Any]) -> None:
    """What is absent is not null, and the tenant has no default."""
    schema = parameter["schema"]
    if parameter["name"] == "X-Tenant-ID":
        parameter["required"] = True
        schema.pop("default", None)
    if "anyOf" in schema:
        (present,) = (one for one in schema.pop("anyOf") if one != {"type": "null"})
        parameter["schema"] = {**present, **schema}


def _problem(status: int, *headers: str) -> dict[str, Any]:
    more = ["Retry-After"] if status == 503 else []
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": PHRASES[status],
        "headers": _headers("X-Request-ID", *headers, *more),
        "content": {MEDIA_TYPE: {"schema": schema}},
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{HEADERS[name][0]}"} for name in names}


def _name(status: int) -> str:
    return PHRASES[status].replace(" ", "")
