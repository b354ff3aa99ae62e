"""No request is served without knowing whose data it may touch.

A gateway in front has found out who calls and says so in X-Tenant-ID; or the service finds out itself (see `guard`), and
then the header means nothing.
"""

import re
from typing import Annotated

from fastapi import Depends, Header, Request

from billing.domain.users import User
from billing.http.parameters import id_from
from billing.operations.logs import note

# A name that is an address, or that could break a log, is nobody's.
USER_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class BadTenant(Exception):
    """X-Tenant-ID is missing, sent twice, or no id."""

    def __init__(self) -> None:
        super().__init__("Send the header X-Tenant-ID once, with the id of the tenant.")


async def tenant_of(
    request: Request,
    x_tenant_id: Annotated[str, Header(alias="X-Tenant-ID", description="the id of the tenant")] = "",
) -> int:
    """The tenant's id. Raises BadTenant."""
    if request.app.state.guarded:
        user: User = request.state.user
        return user.tenant_id
    values = request.headers.getlist("X-Tenant-ID")
    try:
        (value,) = values
        tenant_id = id_from(value)
    except ValueError:
        raise BadTenant from None
    named = request.headers.get("X-User-ID", "")
    note(tenant_id=value, user_id=named if USER_ID.fullmatch(named) else None)
    return tenant_id


Tenant = Annotated[int, Depends(tenant_of)]
