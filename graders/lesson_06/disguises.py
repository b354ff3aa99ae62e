"""What a caller may say of itself besides its token: headers that some gateway or tool once set. None means anything."""

from collections.abc import Iterator

from graders.lesson_06.world import THEIRS, World

# Each is sent by itself: a service that trusts one of them may stumble over another.
Headers = dict[str, str]


def disguises(world: World, role: str) -> Iterator[Headers]:
    """As somebody of that role in one's own tenant, or in the other."""
    mine, theirs = world.caller(role).subject, world.caller(role, THEIRS).subject
    yield {"X-Tenant-ID": str(THEIRS)}
    for name in ("X-Role", "X-User-Role", "X-Roles", "X-Forwarded-Role"):
        yield {name: role}
    for name in (
        "X-User",
        "X-User-ID",
        "X-Subject",
        "X-Forwarded-User",
        "X-Remote-User",
        "Remote-User",
        "X-Auth-User",
        "X-Auth-Request-User",
        "X-Impersonate",
        "X-Impersonate-User",
        "X-On-Behalf-Of",
        "X-Act-As",
        "X-Sudo",
    ):
        yield {name: mine}
    # These name a tenant, each in its own words.
    yield {
        name: str(THEIRS)
        for name in ("X-Tenant", "X-Tenant-Id-Override", "X-Account-ID", "X-Org-ID", "Tenant")
    }
    yield {"X-User": theirs, "X-Tenant-ID": str(THEIRS), "X-Role": role}
    yield {
        "X-Admin": "true",
        "X-Internal": "1",
        "X-Admin-Tool": "1",
        "X-Gateway": "1",
        "X-Authenticated": "true",
    }
    yield {
        "X-Forwarded-For": "127.0.0.1",
        "X-Real-IP": "127.0.0.1",
        "Forwarded": "for=127.0.0.1;host=localhost",
    }
    yield {"X-Original-URL": "/livez", "X-Rewrite-URL": "/livez", "X-Forwarded-Uri": "/livez"}
    yield {"Cookie": f"role={role}; user={mine}; tenant={THEIRS}"}
    yield {
        "Origin": "http://127.0.0.1:8080",
        "Referer": "http://127.0.0.1:8080/v1/admin",
        "User-Agent": "billing-admin",
    }
