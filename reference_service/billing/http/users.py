"""Who works with the tenant's records, and as what: looked up and changed by the tenant's administrator."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi import Body as Media
from pydantic import BaseModel

from billing.domain.users import Role
from billing.http.answers import Answer
from billing.http.bodies import Body, Unset
from billing.http.cursors import Cursors
from billing.http.negotiation import MERGE_PATCH, json_wanted, merge_patch_sent
from billing.http.parameters import Cursor, Database, Id, Limit, known_query
from billing.http.problems import documented
from billing.http.tenancy import Tenant
from billing.storage import users
from billing.storage.users import UserPosition

router = APIRouter(
    prefix="/v1/users",
    tags=["users"],
    dependencies=[Depends(json_wanted), Depends(known_query)],
    responses=documented(406, 422, 500, 503),
)
BY_ID = Cursors(UserPosition)


class User(Answer):
    id: str
    subject: str
    role: Role
    active: bool
    created_at: datetime


class UserPage(BaseModel):
    items: list[User]
    next_cursor: str | None


class UserPatch(Body):
    """A merge patch: what is left out stays. Neither the tenant nor the subject of a user ever changes."""

    role: Annotated[Role, Unset] = "viewer"
    active: Annotated[bool, Unset] = False


@router.get("")
async def list_users(tenant: Tenant, pool: Database, limit: Limit = 20, cursor: Cursor = None) -> UserPage:
    after = BY_ID.decode(cursor)
    async with pool.connection() as connection:
        page = await users.all_of_tenant(connection, tenant, after, limit)
    items = [User.model_validate(user) for user in page.items]
    return UserPage(items=items, next_cursor=BY_ID.encode(page.next))


@router.get("/{user_id}", responses=documented(404))
async def get_user(user_id: Id, tenant: Tenant, pool: Database) -> User:
    async with pool.connection() as connection:
        return User.model_validate(await users.get(connection, tenant, user_id))


@router.patch(
    "/{user_id}", dependencies=[Depends(merge_patch_sent)], responses=documented(400, 404, 413, 415)
)
async def change_user(
    user_id: Id, body: Annotated[UserPatch, Media(media_type=MERGE_PATCH)], tenant: Tenant, pool: Database
) -> User:
    """Give a user another role, revoke the user, or let the user in again."""
    async with pool.connection() as connection:
        user = await users.change(connection, tenant, user_id, **body.model_dump(exclude_unset=True))
    return User.model_validate(user)
