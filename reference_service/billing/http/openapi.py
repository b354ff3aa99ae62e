"""The API's document is true: it has the problems and headers that come, and no answer that can't."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from billing.http.problems import MEDIA_TYPE

REQUEST_ID = {"description": "the id of this request in the logs", "schema": {"type": "string"}}
LOCATION = {"description": "where the new thing is found", "schema": {"type": "string"}}


def document_truly(app: FastAPI) -> None:
    """Replace the document that the framework makes by one without its guesses."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, routes=app.routes)
            for path in document["paths"].values():
                for operation in path.values():
                    _correct(operation)
            for guess in ("HTTPValidationError", "ValidationError"):
                document["components"]["schemas"].pop(guess, None)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _correct(operation: dict[str, Any]) -> None:
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        if parameter["in"] == "header":
            parameter["required"] = True
            parameter["schema"].pop("default", None)
    if "requestBody" not in operation and not any(parameter["in"] == "query" for parameter in parameters):
        operation["responses"].pop("422", None)
    for status, answer in operation["responses"].items():
        answer["headers"] = {"X-Request-ID": REQUEST_ID}
        if status == "201":
            answer["headers"]["Location"] = LOCATION
        if status >= "400":
            answer["content"] = {MEDIA_TYPE: answer["content"]["application/json"]}
