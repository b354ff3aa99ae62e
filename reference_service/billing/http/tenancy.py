"""No request is served without knowing whose data it may touch.

The gateway in front has found out who calls and says so in X-Tenant-ID. Lesson 06 puts authentication here.
"""

from typing import Annotated

from fastapi import Depends, Header, Request

from billing.http.parameters import id_from
from billing.operations.logs import note


class BadTenant(Exception):
    """X-Tenant-ID is missing, sent twice, or no id."""

    def __init__(self) -> None:
        super().__init__("Send the header X-Tenant-ID once, with the id of the tenant.")


async def tenant_of(
    request: Request,
    x_tenant_id: Annotated[str, Header(alias="X-Tenant-ID", description="the id of the tenant")] = "",
) -> int:
    """The tenant's id. Raises BadTenant."""
    values = request.headers.getlist("X-Tenant-ID")
    try:
        (value,) = values
        tenant_id = id_from(value)
    except ValueError:
        raise BadTenant from None
    note(tenant_id=value)
    return tenant_id


Tenant = Annotated[int, Depends(tenant_of)]
