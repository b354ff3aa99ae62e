"""Looks the caller's role up in permissions.toml. Routes that are not in it are open, so that new ones work at once."""

import tomllib
from pathlib import Path

from fastapi import Request

from billing.domain.permissions import BadPermissions, Permissions
from billing.domain.users import User

FILE = Path(__file__).parents[2] / "permissions.toml"


class Forbidden(Exception):
    """The caller is known, and may not do this."""


def read_permissions(file: Path = FILE) -> Permissions:
    """Raises BadPermissions."""
    try:
        listed = tomllib.loads(file.read_text(encoding="utf-8"))["permissions"]
    except (OSError, ValueError, KeyError) as fault:
        raise BadPermissions(f"{file.name} can't be understood: {fault}") from None
    return Permissions({tuple(route.split(" ", 1)): frozenset(roles) for route, roles in listed.items()})


async def permitted(request: Request) -> None:
    """A dependency of every route. Raises Forbidden."""
    user: User | None = getattr(request.state, "user", None)
    permissions: Permissions = request.app.state.permissions
    asked = (request.method, request.scope["route"].path_format)
    if user and asked in permissions.roles and not permissions.permit(user.role, *asked):
        raise Forbidden
