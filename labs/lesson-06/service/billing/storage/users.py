"""The database is the authority on who may do what: a user who is revoked is out with the next request."""

from dataclasses import dataclass

from psycopg.rows import class_row

from billing.domain.errors import NotFound
from billing.domain.users import Role, User
from billing.storage.pages import Page, page_of
from billing.storage.pool import Connection


@dataclass(frozen=True)
class UserPosition:
    """Where a user stands in the list."""

    id: int


async def of_subject(connection: Connection, subject: str) -> User | None:
    """The user whom the identity provider calls by this name, active or not."""
    query = "SELECT id, tenant_id, subject, role, active, created_at FROM users WHERE subject = %s"
    async with connection.cursor(row_factory=class_row(User)) as cursor:
        await cursor.execute(query, (subject,))
        return await cursor.fetchone()


async def get(connection: Connection, tenant_id: int, user_id: int) -> User:
    """The user. Raises NotFound when there is none."""
    query = """
        SELECT id, tenant_id, subject, role, active, created_at FROM users
        WHERE id = %s
    """
    async with connection.cursor(row_factory=class_row(User)) as cursor:
        await cursor.execute(query, (user_id,))
        return _found(await cursor.fetchone())


async def change(
    connection: Connection,
    tenant_id: int,
    user_id: int,
    role: Role | None = None,
    active: bool | None = None,
) -> User:
    """Change what is given. Raises NotFound as `get` does."""
    query = """
        UPDATE users SET role = coalesce(%s, role), active = coalesce(%s, active)
        WHERE id = %s
        RETURNING id, tenant_id, subject, role, active, created_at
    """
    async with connection.cursor(row_factory=class_row(User)) as cursor:
        await cursor.execute(query, (role, active, user_id))
        return _found(await cursor.fetchone())


async def all_of_tenant(
    connection: Connection, tenant_id: int, after: UserPosition | None, limit: int
) -> Page[User, UserPosition]:
    """The tenant's users, oldest first."""
    query = """
        SELECT id, tenant_id, subject, role, active, created_at FROM users
        WHERE tenant_id = %s AND id > %s
        ORDER BY id LIMIT %s
    """
    async with connection.cursor(row_factory=class_row(User)) as cursor:
        await cursor.execute(query, (tenant_id, after.id if after else 0, limit + 1))
        rows = await cursor.fetchall()
    return page_of(rows, limit, lambda user: UserPosition(user.id))


def _found(user: User | None) -> User:
    if user is None:
        raise NotFound("user")
    return user
