"""Before any handler runs, its route is looked up in permissions.toml: a route that nobody listed is closed."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from fastapi import Request
from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from billing.domain.permissions import BadPermissions, Permissions
from billing.domain.users import Role, User
from billing.http.authentication import PUBLIC, log_refusal

FILE = Path(__file__).parents[2] / "permissions.toml"

Route = Annotated[str, StringConstraints(pattern=r"^(GET|POST|PUT|PATCH|DELETE) /v1/[^ ]+$")]


class Forbidden(Exception):
    """The caller is known, and may not do this."""


@dataclass(config=ConfigDict(extra="forbid"))
class PermissionFile:
    permissions: Mapping[Route, list[Role]]


def read_permissions(file: Path = FILE) -> Permissions:
    """Raises BadPermissions."""
    try:
        content: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        listed = TypeAdapter(PermissionFile).validate_python(content).permissions
    except (OSError, ValueError, ValidationError) as fault:
        raise BadPermissions(f"{file.name} can't be understood: {fault}") from None
    return Permissions({_split(route): frozenset(roles) for route, roles in listed.items()})


async def permitted(request: Request) -> None:
    """A dependency of every route. Raises Forbidden."""
    if request.scope["path"] in PUBLIC:
        return
    user: User = request.state.user
    permissions: Permissions = request.app.state.permissions
    if not permissions.permit(user.role, request.method, request.scope["route"].path_format):
        log_refusal(request.scope, 403, "role", user.subject, f"no permission for {user.role}")
        raise Forbidden


def _split(route: str) -> tuple[str, str]:
    method, _, template = route.partition(" ")
    return method, template
