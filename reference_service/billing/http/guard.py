"""The guard before all routes: who calls (authentication), whether they may (authorization), and what it adds to the API."""

from collections.abc import Callable
from typing import Any

from fastapi import Depends, FastAPI, Request
from starlette.responses import Response

from billing.http import admin, problems, users
from billing.http.api import Guard
from billing.http.authentication import PUBLIC, Authentication
from billing.http.authorization import Forbidden, permitted, read_permissions
from billing.http.keys import Keys
from billing.http.tokens import Tokens
from billing.storage.pool import Pool

SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "an access token of the identity provider (RFC 9068)",
}
CHALLENGE = {
    "description": "how to authenticate (RFC 6750, section 3)",
    "required": True,
    "schema": {"type": "string"},
}
REFUSALS = {401: "Unauthorized", 403: "Forbidden"}


def guard(issuer: str, audience: str, jwks_url: str, jwks_max_age: int) -> Callable[[Pool], Guard]:
    """The guard that believes this issuer's tokens, once it is told where users are. Raises BadPermissions."""
    permissions = read_permissions()

    def guarding(pool: Pool) -> Guard:
        tokens = Tokens(issuer, audience, Keys(jwks_url, jwks_max_age))

        def install(app: FastAPI) -> None:
            app.state.permissions = permissions
            app.add_exception_handler(Forbidden, forbidden)
            app.add_middleware(Authentication, tokens=tokens, pool=pool)

        return Guard((admin.router, users.router), Depends(permitted), install, secured)

    return guarding


async def forbidden(request: Request, refusal: Exception) -> Response:
    return problems.response(problems.FORBIDDEN, "Your role does not permit this. Ask your administrator.")


def secured(document: dict[str, Any]) -> dict[str, Any]:
    """The API's document where tokens are wanted: how to send one, and what is answered without."""
    components = document["components"]
    components["securitySchemes"] = {"token": SCHEME}
    components["headers"] = {**components["headers"], "WwwAuthenticate": CHALLENGE}
    components["responses"].update({name: _refusal(status) for status, name in REFUSALS.items()})
    document["security"] = [{"token": []}]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path in PUBLIC:
                operation["security"] = []
            else:
                _secure(operation)
    return document


def _secure(operation: dict[str, Any]) -> None:
    wanted = [one for one in operation.pop("parameters", []) if one.get("name") != "X-Tenant-ID"]
    if wanted:
        operation["parameters"] = wanted
    responses = operation["responses"]
    if "requestBody" not in operation:
        responses.pop("400", None)
    for status in REFUSALS:
        responses[str(status)] = {"$ref": f"#/components/responses/{REFUSALS[status]}"}


def _refusal(status: int) -> dict[str, Any]:
    headers = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
    if status == 401:
        headers["WWW-Authenticate"] = {"$ref": "#/components/headers/WwwAuthenticate"}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": REFUSALS[status],
        "headers": headers,
        "content": {problems.MEDIA_TYPE: {"schema": schema}},
    }
