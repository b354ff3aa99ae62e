"""The API's document is true: it has the problems and headers that come, and no answer that can't."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from billing.http.problems import MEDIA_TYPE, PHRASES

HEADERS = {
    "RequestId": {"description": "the id of this request in the logs", "schema": {"type": "string"}},
    "Location": {"description": "where the new thing is found", "schema": {"type": "string"}},
}


def document_truly(app: FastAPI) -> None:
    """Replace the document that the framework makes by one without its guesses."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _corrected(
                get_openapi(title=app.title, version=app.version, routes=app.routes)
            )
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _corrected(document: dict[str, Any]) -> dict[str, Any]:
    for path in document["paths"].values():
        for operation in path.values():
            _correct(operation)
    components = document["components"]
    for guess in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(guess, None)
    components["headers"] = HEADERS
    components["responses"] = {_name(status): _problem(status) for status in PHRASES}
    return document


def _correct(operation: dict[str, Any]) -> None:
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        if parameter["in"] == "header":
            parameter["required"] = True
            parameter["schema"].pop("default", None)
    responses = operation["responses"]
    if "requestBody" not in operation and not any(parameter["in"] == "query" for parameter in parameters):
        responses.pop("422", None)
    for status, response in responses.items():
        if int(status) in PHRASES:
            responses[status] = {"$ref": f"#/components/responses/{_name(int(status))}"}
        else:
            response["headers"] = _headers("X-Request-ID", *(["Location"] if status == "201" else []))


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": PHRASES[status],
        "headers": _headers("X-Request-ID"),
        "content": {MEDIA_TYPE: {"schema": schema}},
    }


def _headers(*names: str) -> dict[str, Any]:
    components = {"X-Request-ID": "RequestId", "Location": "Location"}
    return {name: {"$ref": f"#/components/headers/{components[name]}"} for name in names}


def _name(status: int) -> str:
    return PHRASES[status].replace(" ", "")
